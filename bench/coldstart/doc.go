// Package coldstart measures how long a job in an image of Spark takes to start. It has no code of its own: see run.
package coldstart
