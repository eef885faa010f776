package remote

import (
	"context"
	"net/http"
)

// TemplateAll lists the templates of all namespaces, for administrators of the
// server.
func (c *Client) TemplateAll(ctx context.Context) ([]Template, error) {
	return list[Template](ctx, c, get("api", "templates"))
}

// TemplateList lists the templates of a namespace.
func (c *Client) TemplateList(ctx context.Context, namespace string) ([]Template, error) {
	return list[Template](ctx, c, get("api", "templates", namespace))
}

// Template is one of them.
func (c *Client) Template(ctx context.Context, namespace, name string) (*Template, error) {
	return object[Template](ctx, c, get("api", "templates", namespace, name))
}

// TemplateCreate adds a template. Its name has the suffix .yml, .yaml, .star,
// .starlark, .script or .jsonnet. When there is one of that name, the error is
// ErrDuplicate.
func (c *Client) TemplateCreate(ctx context.Context, namespace, name, data string) (*Template, error) {
	return object[Template](ctx, c, request{
		method: http.MethodPost, path: []string{"api", "templates", namespace},
		in: map[string]string{"name": name, "data": data},
	})
}

// TemplateUpdate replaces the text of a template.
func (c *Client) TemplateUpdate(ctx context.Context, namespace, name, data string) (*Template, error) {
	return object[Template](ctx, c, request{
		method: http.MethodPatch, path: []string{"api", "templates", namespace, name},
		in: map[string]string{"namespace": namespace, "data": data},
	})
}

// TemplateDelete deletes a template.
func (c *Client) TemplateDelete(ctx context.Context, namespace, name string) error {
	return c.do(ctx, request{method: http.MethodDelete, path: []string{"api", "templates", namespace, name}}, nil)
}
