        push -7
        push 2
        div
        push -7
        push 2
        mod
        push 7
        push -2
        div
        push-int 7
        push-int -2
        mod
        print-all
