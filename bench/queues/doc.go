// Package queues measures how long the engine of queues takes to decide, beside a loop that only goes through what waits by
// age. What the operator makes of decisions on an API server is measured in bench/submission.
package queues
