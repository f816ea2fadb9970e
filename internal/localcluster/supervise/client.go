package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"brazier.sh/brazier/internal/localcluster/part"
)

// Client talks to the supervisor.
type Client struct{ http http.Client }

// NewClient returns a client of the supervisor that serves on the socket.
func NewClient(socket string) *Client {
	return &Client{http: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Report asks how things are. It fails if no supervisor runs.
func (c *Client) Report(ctx context.Context) (Report, error) {
	var report Report
	body, err := c.call(ctx, http.MethodGet, "/parts", nil)
	if err != nil {
		return report, err
	}
	return report, json.Unmarshal(body, &report)
}

// Apply makes the supervisor run exactly these parts.
func (c *Client) Apply(ctx context.Context, parts []part.Part) error {
	body, err := json.Marshal(parts)
	if err != nil {
		return fmt.Errorf("describe the parts: %w", err)
	}
	_, err = c.call(ctx, http.MethodPut, "/parts", body)
	return err
}

// Stop ends the parts called names, or all where there are none, and returns when they have ended.
func (c *Client) Stop(ctx context.Context, names ...string) error {
	_, err := c.call(ctx, http.MethodPost, "/stop?"+url.Values{"part": names}.Encode(), nil)
	return err
}

// Leave ends the supervisor; its parts go on.
func (c *Client) Leave(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodPost, "/leave", nil)
	return err
}

func (c *Client) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("supervisor: %s", strings.TrimSpace(string(answer)))
	}
	return answer, nil
}
