package remote

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"strconv"
)

// MaxPage is the largest page that a server gives.
const MaxPage = 100

func pageQuery(page, size int) (url.Values, error) {
	if page < 1 || size < 1 || size > MaxPage {
		return nil, fmt.Errorf("page %d of %d: pages count from 1 and have 1 to %d entries", page, size, MaxPage)
	}
	return url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(size)}}, nil
}

// pages goes through a list page by page. Servers tell neither how many there are
// nor whether there are more: a page that is not full is the last. What is added in
// the meantime moves others to the next page, so what id has seen is passed over.
func pages[T any](ctx context.Context, c *Client, r request, id func(T) int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := map[int64]bool{}
		for page := 1; ; page++ {
			query := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(MaxPage)}}
			maps.Copy(query, r.query)
			values, err := list[T](ctx, c, r.with(query))
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			known := len(seen)
			for _, value := range values {
				if seen[id(value)] {
					continue
				}
				seen[id(value)] = true
				if !yield(value, nil) {
					return
				}
			}
			if len(values) < MaxPage || len(seen) == known { // the latter is no server of Drone
				return
			}
		}
	}
}
