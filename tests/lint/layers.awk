# layers.awk - a file includes its own room and lower ranks only; foreign headers stay behind their one door.
# usage: awk -f layers.awk FILES
BEGIN {
    rooms = "backend/base 0 backend/mapi 1 backend/store 2 backend/directory 2 backend/event 2 backend/mail 2 backend/ft 2 " \
            "backend/jobs 3 backend/deliver 3 backend/submit 3 session/context 4 session/object 5 session/rop 6 session/nspi 6 session/discover 6 session/offline 6 session 7 " \
            "fcgi 8 deploy 9 tests 9"
    n = split(rooms, r, " ")
    for (i = 1; i < n; i += 2) { room[++k] = r[i]; rank[r[i]] = r[i + 1] }
    # what the front may see beyond base: the door, and what the door's structs are made of
    door["session/session.h"] = door["session/xrc.def"] = door["backend/directory/directory.h"] = door["backend/directory/policy.h"] = door["backend/directory/throttle.h"] = door["backend/event/event.h"] = door["backend/store/store.h"] = 1
    fence["hiredis"] = "^backend/base/redis"
    fence["openssl/"] = "^(backend/base/(crypto|tls|jwt)|tests/)"
    fence["crypt.h"] = "^backend/base/(crypto|password)"
    fence["sqlite3.h"] = "^(backend/store/sqlite/|backend/directory/|tests/)"
    fence["fcgiapp.h"] = "^fcgi/conn"
    fence["gmime/"] = "^backend/mail/"
    fence["unicode/"] = "^backend/(base/utf|base/codepage|store/view_collate|directory/book_collate)"
    fence["libxml/"] = "^(backend/base/xml|session/discover/|tests/client/(poxc|oabc))"
    fence["jansson.h"] = "^(session/discover/|deploy/mapictl/|fcgi/|backend/base/jwt|tests/)"
    fence["gssapi/"] = "^(fcgi/auth_negotiate|tests/)"
    fence["curl/"] = "^(fcgi/auth_jwks|backend/submit/|tests/)"
    fence["ldap.h"] = "^(backend/directory/(login_ldap|source/ldapread)|tests/)"
    fence["security/"] = "^backend/directory/login_pam"
}
function room_of(path,   i, best) {
    best = ""
    for (i = 1; i <= k; i++)
        if (index(path, room[i] "/") == 1 && length(room[i]) > length(best)) best = room[i]
    return best
}
function say(what) { print FILENAME ":" FNR ": " what; bad = 1 }
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    match($0, /[<"][^>"]*[>"]/)
    h = substr($0, RSTART + 1, RLENGTH - 2)
    for (f in fence)
        if ((index(h, f) == 1 || index(h, "/" f) > 0) && FILENAME !~ fence[f]) say("<" h "> may be included only by " fence[f])
    if ($0 ~ /</) next
    from = room_of(FILENAME)
    if (index(h, "/") == 0) { say("include \"" h "\" from the root"); next }
    to = room_of(h)
    if (to == "" || from == to) next
    if (from == "deploy" || from == "tests") next                  # the top may open any door
    if (rank[to] > rank[from] || rank[to] == rank[from]) { if (!(from == "session" && to ~ /^session/)) say(from " may not include " to) }
    else if (from == "fcgi" && to != "backend/base" && !(h in door)) say("fcgi must use a door, not " h)
}
END { exit bad }
