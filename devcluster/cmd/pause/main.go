// Command brazier-pause is the process that holds a pod's namespaces open: it sleeps, reaps the orphans that the pod's
// other processes leave it where they share its process namespace, and ends when it is told to.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "devel"

func main() {
	showVersion := flag.Bool("v", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println("brazier-pause", version)
		return
	}
	pause()
}

// pause returns when the process is told to end.
func pause() {
	// Both channels are there before the first wait, so that no signal is lost; one slot of SIGCHLD is enough because
	// every wake-up reaps all that there is.
	stop, child := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(child, syscall.SIGCHLD)
	for {
		select {
		case <-stop:
			return
		case <-child:
			reap()
		}
	}
}

// reap collects every child that has ended and returns how many there were.
func reap() int {
	for reaped := 0; ; {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil || pid <= 0: // ECHILD: none left; 0: the others still run
			return reaped
		}
		reaped++
	}
}
