# logkeys.awk - log lines use keys of logkey.def only. usage: awk -f logkeys.awk backend/base/logkey.def FILES
FNR == NR { if (match($0, /LOGKEY\([a-z_]+/)) key[substr($0, RSTART + 7, RLENGTH - 7)] = 1; next }
/log_line\(/ { buf = ""; on = 1; at = FNR }
on {
    buf = buf $0
    if ($0 ~ /;[ \t]*$/) {
        on = 0
        # behind level, room and message come pairs: a key is a string literal that is followed by a comma and a value
        n = split(buf, part, /,[ \t]*/)
        for (i = 4; i < n; i += 2)
            if (part[i] ~ /^"[a-z_]+"$/) { k = substr(part[i], 2, length(part[i]) - 2); if (!(k in key)) { print FILENAME ":" at ": log key \"" k "\" is not in logkey.def"; bad = 1 } }
    }
}
END { exit bad }
