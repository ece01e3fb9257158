package testrig

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/pires/go-proxyproto"

	"parley/config"
)

// patience is how long a client waits for what has to come. It is never waited out where all is well.
const patience = time.Minute

// Client is one scripted client over one connection.
type Client struct {
	rig  *Rig
	nc   net.Conn
	ws   *websocket.Conn
	host string

	mu   sync.Mutex
	got  []*Element
	err  error // why no more elements come
	more chan struct{}

	listening bool // used only by the goroutine that drives the client
	Features  *Element
	ID        string       // of the stream
	Address   string       // full, once bound
	self      atomic.Value // Address, for the goroutine that reads
}

const nsStream = "http://etherx.jabber.org/streams"

// Connect opens a connection over "tcp", "tls" or "ws"; it sends nothing on it.
func (r *Rig) Connect(door, host string) (*Client, error) { return r.ConnectVia(nil, door, host) }

// ConnectVia connects as a proxy does: it says before all that it connects for from, by the PROXY protocol in this
// version, or to a WebSocket by X-Forwarded-For. nil: as a client does.
func (r *Rig) ConnectVia(p *Proxied, door, host string) (*Client, error) {
	c := &Client{rig: r, host: host, more: make(chan struct{}, 1)}
	if door == "ws" || door == "wss" {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		o := &websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPHeader: http.Header{}}
		if p != nil {
			o.HTTPHeader.Set("X-Forwarded-For", p.From)
		}
		dial, at := r.Dialer.DialContext, "ws://"+r.addr("websocket_plain")
		if door == "wss" { // proxies go by the name
			at = "wss://" + host
			dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return r.Dialer.DialContext(ctx, network, r.addr(door))
			}
		}
		o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: r.tls(host)}}
		ws, resp, err := websocket.Dial(ctx, at+config.Default().Listeners.WebSocket.Path, o)
		if err != nil {
			return nil, err
		}
		if resp.Body != nil {
			resp.Body.Close()
		}
		ws.SetReadLimit(1 << 20)
		c.ws = ws
		go c.readFrames()
		return c, nil
	}
	nc, err := r.dial(p, door, host)
	if err != nil {
		return nil, err
	}
	c.nc = nc
	return c, nil
}

// Proxied is a client that a proxy connects for.
type Proxied struct {
	From    string // an IP address
	Version byte   // of the PROXY protocol
}

// say writes the proxy's line.
func (p *Proxied) say(nc net.Conn) error {
	from := &net.TCPAddr{IP: net.ParseIP(p.From), Port: 50000}
	to := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 5222}
	if from.IP.To4() == nil {
		to.IP = net.ParseIP("2001:db8::1")
	}
	_, err := proxyproto.HeaderProxyFromAddrs(p.Version, from, to).WriteTo(nc)
	return err
}

// Host is the hosted domain whose client it is.
func (c *Client) Host() string { return c.host }

// Close cuts the connection without a word.
func (c *Client) Close() {
	if c.ws != nil {
		c.ws.CloseNow()
		return
	}
	c.nc.Close()
}

// Write sends bytes as they are.
func (c *Client) Write(s string) error {
	if c.ws != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return c.ws.Write(ctx, websocket.MessageText, []byte(s))
	}
	_ = c.nc.SetWriteDeadline(time.Now().Add(patience))
	_, err := io.WriteString(c.nc, s)
	return err
}

// header begins a stream.
func (c *Client) header() string {
	if c.ws != nil {
		return fmt.Sprintf("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='%s' version='1.0'/>", c.host)
	}
	return fmt.Sprintf("<?xml version='1.0'?>"+
		"<stream:stream xmlns='jabber:client' xmlns:stream='%s' to='%s' version='1.0'>", nsStream, c.host)
}

// Listen reads a stream from its header on, in the background; nothing if it does so already.
func (c *Client) Listen() {
	if c.ws == nil && !c.listening {
		c.listening = true
		go c.readStream(c.nc)
	}
}

func (c *Client) put(e *Element, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e != nil {
		c.got = append(c.got, e)
		c.rig.look(e)
		c.count(e)
	}
	if err != nil && c.err == nil {
		c.err = err
	}
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// errEnd is the proper end of a stream.
var errEnd = errors.New("the stream has ended")

func (c *Client) readStream(nc net.Conn) {
	d := xml.NewDecoder(nc)
	for {
		t, err := d.Token()
		if err != nil {
			c.put(nil, err)
			return
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Space == nsStream && t.Name.Local == "stream" {
				e := &Element{Name: t.Name}
				for _, a := range t.Attr {
					if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
						e.Attrs = append(e.Attrs, a)
					}
				}
				c.put(e, nil)
				continue
			}
			e, err := read(d, t)
			c.put(e, err)
			if err != nil {
				return
			}
			if pause(e) { // another stream begins: its reader has to know
				return
			}
		case xml.EndElement:
			c.put(nil, errEnd)
			return
		}
	}
}

// pause says that the client begins a new stream after this element, and reads it from its beginning.
func pause(e *Element) bool {
	return e.Name.Local == "proceed" || e.Name.Local == "success" && e.Name.Space == "urn:ietf:params:xml:ns:xmpp-sasl"
}

func (c *Client) readFrames() {
	for {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
				err = errEnd
			}
			c.put(nil, err)
			return
		}
		e, err := parse(string(b), "")
		c.put(e, err)
		if err != nil {
			return
		}
	}
}

// Next waits for the next element.
func (c *Client) Next() (*Element, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		c.mu.Lock()
		if len(c.got) > 0 {
			e := c.got[0]
			c.got = c.got[1:]
			c.mu.Unlock()
			return e, nil
		}
		err := c.err
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-c.more:
		case <-t.C:
			return nil, errors.New("nothing comes")
		}
	}
}

// Begin opens a stream and waits for the features.
func (c *Client) Begin() error {
	if err := c.Write(c.header()); err != nil {
		return err
	}
	c.Listen()
	head, err := c.Next()
	if err != nil {
		return err
	}
	c.ID = head.Attr("id")
	if c.Features, err = c.Next(); err != nil {
		return err
	}
	if c.Features.Name.Local != "features" {
		return fmt.Errorf("no features but %s", c.Features)
	}
	return nil
}

// StartTLS goes on inside TLS.
func (c *Client) StartTLS() error {
	if err := c.Write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	e, err := c.Next()
	if err != nil {
		return err
	}
	if e.Name.Local != "proceed" {
		return fmt.Errorf("no TLS: %s", e)
	}
	c.nc, c.listening = tls.Client(c.nc, c.rig.tls(c.host)), false
	return nil
}

// TLS is the state of the connection, to bind a channel to it.
func (c *Client) TLS() tls.ConnectionState {
	if t, ok := c.nc.(*tls.Conn); ok {
		return t.ConnectionState()
	}
	return tls.ConnectionState{}
}

// SignIn goes from the connection to an authenticated stream.
func (c *Client) SignIn(name, password string) error {
	if err := c.Begin(); err != nil {
		return err
	}
	if _, secure := c.nc.(*tls.Conn); c.ws == nil && !secure {
		if err := c.StartTLS(); err != nil {
			return err
		}
		if err := c.Begin(); err != nil {
			return err
		}
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
	if err := c.Write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
		plain + "</auth>"); err != nil {
		return err
	}
	e, err := c.Next()
	if err != nil {
		return err
	}
	if e.Name.Local != "success" {
		return fmt.Errorf("not signed in: %s", e)
	}
	return c.Again()
}

// Again begins the stream that comes after SASL.
func (c *Client) Again() error {
	c.listening = false
	return c.Begin()
}

// Bind takes a resource; "" has the server choose.
func (c *Client) Bind(resource string) error {
	if resource != "" {
		resource = "<resource>" + resource + "</resource>"
	}
	if err := c.Write("<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" +
		resource + "</bind></iq>"); err != nil {
		return err
	}
	e, err := c.Next()
	if err != nil {
		return err
	}
	if e.Attr("type") != "result" || len(e.Children) != 1 {
		return fmt.Errorf("not bound: %s", e)
	}
	c.Address = strings.TrimSpace(e.Children[0].Children[0].Text)
	c.self.Store(c.Address)
	return nil
}
