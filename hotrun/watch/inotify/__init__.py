"""Linux: the kernel's inotify, through libc."""
