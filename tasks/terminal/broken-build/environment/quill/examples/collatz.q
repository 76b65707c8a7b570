; the length of the Collatz sequence of 27
        push 27
        store 0
        push 0
        store 1
again:  load 0
        push 1
        eq
        jnz done
        load 0
        push 2
        mod
        jz even
        load 0
        push 3
        mul
        push 1
        add
        goto next
even:   load 0
        push 2
        div
next:   store 0
        load 1
        push 1
        add
        store 1
        goto again
done:   load 1
        emit
