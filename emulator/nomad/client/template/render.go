package template

import "time"

// round renders what can be, and acts on what has changed. It returns when to
// look again though nothing changes; zero for never.
func (r *renderer) round() (next time.Time, err error) {
	used := map[string]bool{}
	complete, env := true, false
	for _, b := range r.blocks {
		at, done, changed, err := r.render(b, used)
		if err != nil {
			return time.Time{}, err
		}
		next = earliest(next, at)
		complete = complete && done
		env = env || changed && *b.spec.Envvars
	}
	r.dropViews(used)
	if env {
		if err := r.readEnv(); err != nil {
			return time.Time{}, err
		}
	}
	if complete {
		r.complete()
	}
	return earliest(next, r.act()), nil
}

// render renders one template, if all that it asks for is known and quiet.
func (r *renderer) render(b *block, used map[string]bool) (next time.Time, done, changed bool, err error) {
	if b.done && *b.spec.Once {
		return time.Time{}, true, false, nil
	}
	result, err := b.execute(r.brain)
	if err != nil {
		return time.Time{}, false, false, err
	}
	for _, d := range result.Used.List() {
		used[d.String()] = true
		if err := r.view(d); err != nil {
			return time.Time{}, false, false, &failure{"Template failed: " + err.Error()}
		}
	}
	b.missing = b.missing[:0]
	for _, d := range result.Missing.List() {
		b.missing = append(b.missing, d.String())
	}
	if len(b.missing) > 0 {
		return time.Time{}, b.done, false, nil
	}
	now := time.Now()
	if due := b.quiet(string(result.Output), now); due.After(now) {
		return due, b.done, false, nil
	}
	before := b.done
	changed, err = b.write(string(result.Output))
	if err != nil {
		return time.Time{}, false, false, err
	}
	if changed && before {
		r.mu.Lock()
		r.pending.add(b.spec)
		r.mu.Unlock()
	}
	return time.Time{}, true, changed, nil
}

// complete says that all have been rendered.
func (r *renderer) complete() {
	select {
	case <-r.rendered:
	default:
		close(r.rendered)
	}
}

// earliest is the earlier of two times, of which the zero one is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
