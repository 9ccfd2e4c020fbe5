# count.awk - make ledger: checks tests/conform/ledger.csv against the tests that ran, and counts per document.
# usage: awk -f count.awk RAN... tests/conform/ledger.csv
#
# A line of the ledger: requirement id, modality, state, where (no commas inside a field).
#   tested        where = names of tests, "file/test", separated by blanks: each must have run and passed; one that was skipped shows nothing
#   construction  where = why the code cannot do otherwise
#   na            where = why the sentence does not concern this server
#   open          where = what is missing, or nothing
BEGIN { FS = "," }
FILENAME !~ /\.csv$/ { split($0, w, " "); if (ran[w[1]] != "failed") ran[w[1]] = w[2]; any = 1; next }
FNR == 1 { next }
function complain(what) { print "ledger.csv:" FNR ": " what; bad++ }
{
    if (NF != 4) { complain(NF " fields, not id,modality,state,where"); next }
    if ($1 in seen) complain($1 " stands at line " seen[$1] " already")
    seen[$1] = FNR; lines++; skip = 0
    if ($3 !~ /^(tested|construction|na|open)$/) complain("state \"" $3 "\"")
    if ($3 == "tested") {
        n = split($4, t, " ")
        if (n == 0) complain($1 ": no test named")
        for (i = 1; i <= n; i++)
            if (ran[t[i]] == "skipped") skip = 1
            else if (ran[t[i]] != "passed") complain($1 ": test " t[i] " " (t[i] in ran && ran[t[i]] != "" ? ran[t[i]] : "did not run"))
    } else if ($3 != "open" && $4 == "") complain($1 ": no reason")
    if (skip) { $3 = "open"; skipped++ }   # nothing showed it in this run
    doc = $1; sub(/_.*/, "", doc)
    if (!(doc in all)) order[++docs] = doc
    all[doc]++; count[doc, $3]++
    if ($2 ~ /^MUST/) { must[doc]++; if ($3 != "open") done[doc]++ }
}
END {
    if (!any) { print "ledger: no list of tests that ran (make check flow first)"; exit 1 }
    print "| document | sentences | tested | by construction | not applicable | open | MUST done |\n|---|---|---|---|---|---|---|"
    for (i = 1; i <= docs; i++) {
        d = order[i]
        printf "| %s | %d | %d | %d | %d | %d | %d of %d |\n", d, all[d], count[d, "tested"], count[d, "construction"], count[d, "na"], count[d, "open"], done[d], must[d]
    }
    if (skipped) printf "ledger: %d sentences rest on tests that were skipped in this run (they need files that are not here) and count as open\n", skipped
    printf "ledger: %d lines, %s\n", lines, bad ? bad " faults" : "clean"
    exit bad != 0
}
