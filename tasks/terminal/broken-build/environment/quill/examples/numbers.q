        push 84
        push -36
        call gcd
        push 3
        push 20
        call pow
        push 1000000
        call isqrt
        push -5
        call abs
        call sum
        print
        push 0
        jump-zero end
        push 1
        print
end:    push 4
        push 9
        push 2
        call max
        print
