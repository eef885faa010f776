package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func newTransport(o Options) (*http.Transport, error) {
	secure, err := newTLS(o)
	if err != nil {
		return nil, err
	}
	proxy, err := newProxy(o)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                 proxy,
		DialContext:           (&net.Dialer{Timeout: connecting, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   connecting,
		TLSClientConfig:       secure,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       time.Minute,
		ExpectContinueTimeout: time.Second,
	}, nil
}

func newTLS(o Options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.SkipVerify} // the user asks for it
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, &OptionError{Option: "CA file", Reason: cannotRead(o.CAFile, err)}
		}
		pool, err := x509.SystemCertPool()
		if err != nil { // a system without any
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, &OptionError{Option: "CA file", Reason: fmt.Sprintf("%s has no certificate in PEM", o.CAFile)}
		}
		config.RootCAs = pool
	}
	if o.CertFile == "" {
		if o.KeyFile != "" {
			return nil, &OptionError{Option: "certificate", Reason: "there is a key of a certificate, but no certificate"}
		}
		return config, nil
	}
	key := o.KeyFile
	if key == "" {
		key = o.CertFile
	}
	pair, err := loadPair(o.CertFile, key)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func loadPair(certFile, keyFile string) (tls.Certificate, error) {
	for _, name := range []string{certFile, keyFile} {
		if _, err := os.Stat(name); err != nil {
			return tls.Certificate{}, &OptionError{Option: "certificate", Reason: cannotRead(name, err)}
		}
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		// The text of err has nothing of the key.
		return pair, &OptionError{Option: "certificate", Reason: fmt.Sprintf("%s and %s are no certificate with its key: %v", certFile, keyFile, err)}
	}
	return pair, nil
}

func cannotRead(name string, err error) string {
	if gone, ok := errors.AsType[*fs.PathError](err); ok {
		err = gone.Err // the name is told already
	}
	return fmt.Sprintf("%s cannot be read: %v", name, err)
}

// errProxy is an address of a proxy that is none. What it is would show a password.
var errProxy = errors.New("the address of the proxy for it is no URL")

// newProxy gives the proxy of each request. An error never has its address, which
// may have a password.
func newProxy(o Options) (func(*http.Request) (*url.URL, error), error) {
	if o.SOCKS != "" {
		address := o.SOCKS
		if !strings.Contains(address, "://") {
			address = "socks5://" + address
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "socks5" && u.Scheme != "socks5h" || u.Port() == "" {
			return nil, &OptionError{Option: "SOCKS proxy", Reason: "the address of the SOCKS proxy is neither HOST:PORT nor socks5://HOST:PORT"}
		}
		return http.ProxyURL(u), nil
	}
	if o.Proxy == nil {
		return nil, nil
	}
	return func(r *http.Request) (*url.URL, error) {
		u, err := o.Proxy(r)
		if err != nil {
			return nil, errProxy
		}
		return u, nil
	}, nil
}
