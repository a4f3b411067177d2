"""What every room stands on: errors, whole files, threads, memory limits, progress."""
