DELETE FROM chain_mark WHERE start <= $1
