package work

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"parley/bench/target"
)

// browser is a client of the chat in the browser: signed in on the page, and with its stream of events open.
type browser struct {
	http   *http.Client
	events io.ReadCloser
	ended  chan struct{} // closed when the stream of events is over
}

// browse signs the i-th account in as a browser does, asks for the list of conversations, and opens the stream of
// events.
func (e *Env) browse(ctx context.Context, i int) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig: e.In.Dial.TLS,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", e.In.Web)
		},
	}
	b := &browser{
		http: &http.Client{
			Transport:     transport,
			Jar:           jar,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		ended: make(chan struct{}),
	}
	form := url.Values{"user": {target.User(i)}, "password": {e.In.Dial.Password}}
	in, err := b.ask(ctx, http.MethodPost, "/login", form)
	if err != nil {
		return nil, err
	}
	in.Body.Close()
	if in.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("sign-in of %s: %s", target.JID(i), in.Status)
	}
	list, err := b.ask(ctx, http.MethodGet, "/api/v1/conversations", nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, list.Body)
	list.Body.Close()
	if err != nil || list.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("conversations of %s: %s %v", target.JID(i), list.Status, err)
	}
	return b, b.listen(ctx)
}

// ask makes a request; its answer's body has to be closed.
func (b *browser) ask(ctx context.Context, method, path string, form url.Values) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, method, "https://"+target.Domain+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.http.Do(q)
}

// listen opens the stream of events, and returns when the first line of it has come.
func (b *browser) listen(ctx context.Context) error {
	res, err := b.ask(ctx, http.MethodGet, "/api/v1/events", nil)
	if err != nil {
		return err
	}
	b.events = res.Body
	if res.StatusCode != http.StatusOK {
		b.close()
		return fmt.Errorf("events: %s", res.Status)
	}
	lines := bufio.NewReaderSize(res.Body, 512)
	if _, err := lines.ReadString('\n'); err != nil {
		b.close()
		return fmt.Errorf("events: %w", err)
	}
	go func() {
		defer close(b.ended)
		_, _ = io.Copy(io.Discard, lines)
	}()
	return nil
}

func (b *browser) close() {
	b.events.Close()
	b.http.CloseIdleConnections()
}

// browsers opens many browsers that do nothing, and reads what each adds to the server's memory, and what all together
// cost in CPU time.
func browsers(ctx context.Context, e *Env) ([]Result, error) {
	warm := func(ctx context.Context, i int) error {
		b, err := e.browse(ctx, i)
		if err == nil {
			b.close()
		}
		return err
	}
	if err := parallel(ctx, 20, 4, warm); err != nil {
		return nil, err
	}
	n := e.Scale.Browsers
	all := make([]*browser, n)
	defer func() {
		for _, b := range all {
			if b != nil {
				b.close()
			}
		}
	}()
	res, err := e.memory(ctx, "browsers", n, func(ctx context.Context) error {
		return parallel(ctx, n, 8, func(_ context.Context, i int) (err error) {
			all[i], err = e.browse(ctx, 20+i) // its stream lasts for longer than the work of opening it
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for i, b := range all {
		select {
		case <-b.ended:
			return []Result{res}, fmt.Errorf("the stream of events of %s ended", target.JID(20+i))
		default:
		}
	}
	return []Result{res}, nil
}
