        text "quill and \"ink\""
        call upper
        dup
        call length
        print
        print
        text "ab"
        push 3
        call repeat
        text "-"
        call concat
        call reverse
        emit
