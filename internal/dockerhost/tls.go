package dockerhost

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	dcontext "github.com/docker/cli/cli/context"
)

// The names of the files in a directory of certificates.
const (
	caFile   = "ca.pem"
	certFile = "cert.pem"
	keyFile  = "key.pem"
)

// withTLS adds the certificates that DOCKER_TLS, DOCKER_TLS_VERIFY and
// DOCKER_CERT_PATH ask for; like docker, they count with the default context
// and DOCKER_HOST only.
func (env Environment) withTLS(e Endpoint) (Endpoint, error) {
	asked := env.asksTLS()
	if asked == "" {
		return e, nil
	}
	verify := asked == tlsVerify
	dir := env.certDir()
	cert, key := filepath.Join(dir, certFile), filepath.Join(dir, keyFile)
	if !env.exists(cert) {
		cert = ""
	}
	if !env.exists(key) {
		key = ""
	}
	var ca string
	if verify {
		ca = filepath.Join(dir, caFile)
	}
	data, err := dcontext.TLSDataFromFiles(ca, cert, key)
	if err != nil {
		return Endpoint{}, &Error{asked, fmt.Errorf("cannot read the certificates: %w", err),
			"point DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem"}
	}
	e.tls, e.skip, e.certs = data, !verify, env.short(dir)
	return e, nil
}

// tlsVerify asks for TLS with an engine that shows who it is.
const tlsVerify = "DOCKER_TLS_VERIFY"

// asksTLS is the variable that asks for TLS, "" when none does.
func (env Environment) asksTLS() string {
	for _, name := range []string{tlsVerify, "DOCKER_TLS"} {
		if env.Getenv(name) != "" {
			return name
		}
	}
	return ""
}

func (env Environment) certDir() string {
	if dir := env.Getenv("DOCKER_CERT_PATH"); dir != "" {
		return dir
	}
	return env.configDir()
}

// Encrypted reports whether TLS is spoken with the engine.
func (e Endpoint) Encrypted() bool { return e.tls != nil || e.skip }

// ExplainTLS says what is wrong when err is from the two sides not agreeing on
// TLS: the rest of a sentence about the engine, and what mends it. It reports
// false for any other error.
func (e Endpoint) ExplainTLS(err error) (what, hint string, ok bool) {
	text := err.Error()
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case strings.Contains(text, "HTTP request to an HTTPS server"), strings.Contains(text, PlainAlert):
		return "it wants TLS, which was not asked for", e.wantTLS(), true
	case strings.Contains(text, "HTTP response to HTTPS client"), strings.Contains(text, "first record does not look like a TLS handshake"):
		return "it does not speak TLS", e.wantNone(), true
	case errors.As(err, &authority):
		if e.tls == nil || e.tls.CA == nil {
			return "its certificate is signed by an authority that this machine does not know", e.give("the ca.pem of that engine"), true
		}
		return "its certificate is not signed by the authority in " + e.file(caFile), e.give("the ca.pem of that engine"), true
	case errors.As(err, &name):
		return "its certificate is not for " + name.Host + forWhom(name.Certificate), "use an address of the certificate, or have one issued for this address", true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate" + outside(invalid.Cert, time.Now()), "renew the certificate of the engine, unless the clock of this machine is wrong", true
	case strings.Contains(text, "remote error: tls:"):
		what, hint = e.refused(text)
		return what, hint, true
	case strings.Contains(text, "x509:"), strings.Contains(text, "tls:"):
		_, reason, _ := strings.Cut(text, "tls: ")
		if reason == "" {
			reason = text
		}
		return "TLS cannot be spoken with it: " + reason, "check the certificates in " + e.whereCerts(), true
	}
	return "", "", false
}

// PlainAlert is what a server says that was spoken to without TLS, as a client of
// HTTP quotes the alert.
const PlainAlert = `malformed HTTP response "\x15\x03`

// refused explains why an engine has not taken who we are. Older ones say no
// more than that.
func (e Endpoint) refused(text string) (what, hint string) {
	pair := e.give("cert.pem and key.pem, signed by the authority of the engine,")
	switch {
	case e.tls == nil || e.tls.Cert == nil && e.tls.Key == nil:
		return "it wants a certificate of who talks to it, and there is no cert.pem in " + e.whereCerts(), pair
	case e.tls.Key == nil:
		return "it wants a certificate of who talks to it, and cert.pem has no key.pem beside it in " + e.whereCerts(), pair
	case e.tls.Cert == nil:
		return "it wants a certificate of who talks to it, and key.pem has no cert.pem beside it in " + e.whereCerts(), pair
	}
	block, _ := pem.Decode(e.tls.Cert)
	if block == nil {
		return "it does not take the certificate in " + e.file(certFile), pair
	}
	// That it can be read was seen when the connection was made.
	if cert, err := x509.ParseCertificate(block.Bytes); err == nil && outside(cert, time.Now()) != "" {
		return "your certificate in " + e.file(certFile) + outside(cert, time.Now()), e.give("a new cert.pem and key.pem")
	}
	_, said, _ := strings.Cut(text, "remote error: tls: ")
	return "it does not take the certificate in " + e.file(certFile) + ": " + said, pair
}

// outside says that a certificate does not hold at a time, "" when it does.
func outside(cert *x509.Certificate, now time.Time) string {
	switch {
	case cert == nil:
		return " does not hold at this time"
	case now.After(cert.NotAfter):
		return " has expired on " + cert.NotAfter.Format(time.DateOnly)
	case now.Before(cert.NotBefore):
		return " does not hold before " + cert.NotBefore.Format(time.DateOnly)
	}
	return ""
}

// forWhom names what a certificate is for.
func forWhom(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return ""
	}
	return ", but for " + strings.Join(names, ", ")
}

// whereCerts names the place of the certificates.
func (e Endpoint) whereCerts() string {
	switch {
	case e.Context != "":
		return fmt.Sprintf("the docker context %q", e.Context)
	case e.certs != "":
		return e.certs
	}
	return "DOCKER_CERT_PATH"
}

// file names one of the certificates.
func (e Endpoint) file(name string) string {
	if e.Context != "" {
		return name + " of " + e.whereCerts()
	}
	return filepath.Join(e.whereCerts(), name)
}

// give says how a file gets where it is looked for.
func (e Endpoint) give(what string) string {
	if e.Context != "" {
		return fmt.Sprintf("give %s to the context: %s", what, e.update("ca=ca.pem,cert=cert.pem,key=key.pem"))
	}
	return fmt.Sprintf("put %s into %s, or point DOCKER_CERT_PATH to where they are", what, e.whereCerts())
}

func (e Endpoint) update(with string) string {
	return fmt.Sprintf("`docker context update %s --docker host=%s,%s`", e.Context, e.Host, with)
}

func (e Endpoint) wantTLS() string {
	if e.Context != "" {
		return e.give("certificates")
	}
	return "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory with the certificates"
}

func (e Endpoint) wantNone() string {
	if e.Context != "" {
		return fmt.Sprintf("take the certificates from the context: `docker context update %s --docker host=%s`, or correct its address", e.Context, e.Host)
	}
	return "unset DOCKER_TLS_VERIFY and DOCKER_TLS, or correct the address"
}

// checkTLS finds what makes certificates unfit in themselves, which the library
// says in words about itself.
func (e Endpoint) checkTLS() error {
	if e.tls == nil {
		return nil
	}
	if e.tls.CA != nil && !x509.NewCertPool().AppendCertsFromPEM(e.tls.CA) {
		return fmt.Errorf("%s is no certificate", e.file(caFile))
	}
	if e.tls.Cert != nil && e.tls.Key != nil {
		if _, err := tls.X509KeyPair(e.tls.Cert, e.tls.Key); err != nil {
			return fmt.Errorf("%s and its key cannot be used: %s", e.file(certFile), strings.TrimPrefix(err.Error(), "tls: "))
		}
	}
	return nil
}
