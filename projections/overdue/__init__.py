"""What is late? One narrow row an activity that has a due date to miss; late is `due_at < now()` when asked."""
