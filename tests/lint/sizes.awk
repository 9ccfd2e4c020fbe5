# sizes.awk - functions and files by length; more than 100 lines in a function or 700 in a file fails. usage: awk -f sizes.awk FILES
function flush_file() { if (last != "") { files[++nf] = lines; if (lines > 700) { print last ": " lines " lines; split it by meaning"; bad = 1 } } }
FNR == 1 { flush_file(); last = FILENAME; lines = 0; open = 0 }
{ lines = FNR }
/^[A-Za-z_].*\(/ && !/;[ \t]*$/ && !/^(typedef|struct|enum|union|#)/ { head = $0; at = FNR }
/^\{/ { open = FNR }
/^\}/ { if (open) { n = FNR - open - 1; fn[++k] = n; if (n > 100) { print FILENAME ":" at ": " n " lines: " substr(head, 1, 70); bad = 1 } open = 0 } }
function median(v, n,   i, j, t) {
    for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j + 1] = v[j]; v[j + 1] = t }
    return v[int((n + 1) / 2)]
}
END {
    flush_file()
    m = median(fn, k); printf "functions: %d, median %d lines, p90 %d; files: %d, median ", k, m, fn[int(k * 0.9)], nf
    printf "%d lines\n", median(files, nf)
    exit bad
}
