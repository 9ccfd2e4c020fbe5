# banned.awk - calls that our code does without. usage: awk -f banned.awk FILES
BEGIN {
    ban["strcpy"] = ban["strcat"] = ban["sprintf"] = ban["vsprintf"] = ban["gets"] = "unbounded"
    ban["atoi"] = ban["atol"] = ban["atoll"] = "errors are not seen"
    ban["strtok"] = ban["asctime"] = ban["ctime"] = ban["gmtime"] = ban["localtime"] = ban["strerror_r"] = "not for threads, or two meanings"
    ban["assert"] = "use must() for our bugs, an error for input"
    ban["alloca"] = "stack is not for input"
    heap["malloc"] = heap["calloc"] = heap["realloc"] = heap["strdup"] = heap["strndup"] = heap["asprintf"] = 1
    # pools that live as long as the process, library glue, and test programs
    pools = "^(backend/jobs/|backend/event/bell|session/waits?\\.c|backend/base/(arena|redis|crypto|tls|jwt|log|config|fault)|backend/store/(store|pool|db|sqlite/|fault/|view_collate|counter)|backend/directory/|backend/mail/|session/(session|context/(renew|timer|cookie|keys|lock|begin|beat|lease))|session/rop/stat|fcgi/|tests/|deploy/)"
}
/^[ \t]*(\/\*|\*|\/\/)/ { next }
{
    line = $0
    gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
    sub(/\/\*.*/, "", line)
    sub(/\/\/.*/, "", line)
    while (match(line, /[A-Za-z_][A-Za-z_0-9]*[ ]?\(/)) {
        f = substr(line, RSTART, RLENGTH); sub(/[ ]?\($/, "", f)
        before = RSTART > 1 ? substr(line, RSTART - 1, 1) : " "
        line = substr(line, RSTART + RLENGTH)
        if (before == "." || before == ">") continue
        if (f in ban) { print FILENAME ":" FNR ": " f ": " ban[f]; bad = 1 }
        if (f in heap && FILENAME !~ pools) { print FILENAME ":" FNR ": " f ": the arena is the allocator"; bad = 1 }
    }
}
FILENAME !~ /^tests\// && /TODO|FIXME|XXX|HACK/ { print FILENAME ":" FNR ": unfinished: " $0; bad = 1 }
END { exit bad }
