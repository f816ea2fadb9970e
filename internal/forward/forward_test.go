package forward

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

func TestFreePort(t *testing.T) {
	port, err := freePort(0)
	if err != nil || port == 0 {
		t.Fatalf("got %d, %v", port, err)
	}
	taken, err := net.Listen("tcp4", net.JoinHostPort(Local, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := freePort(port); err == nil || !strings.Contains(err.Error(), "--port: "+strconv.Itoa(port)+" cannot be listened on; leave it out for one that is free") {
		t.Errorf("got %v", err)
	}
}
