# A queue is destroyed together with its Deny, which grants nothing, and an output is removed.
