# Adds up lines of "COUNT WORD" from all files.
NF == 2 { sum[$2] += $1 }
END { for (word in sum) printf "%7d %s\n", sum[word], word }
