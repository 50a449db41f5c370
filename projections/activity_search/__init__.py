"""Where is it said? The words of subjects and descriptions, found whole, in part, or misspelt."""
