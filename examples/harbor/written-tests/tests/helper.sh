echo unset
