package fence

// enclose leaves of the runtime only what scripts may use.
func (s *Sandbox) enclose() {
	g := s.VM.GlobalObject()
	for _, name := range g.GetOwnPropertyNames() {
		switch name {
		case "eval", "Proxy", "Reflect", "Promise", "ArrayBuffer", "DataView", "GoError", "BigInt",
			"Uint8Array", "Uint8ClampedArray", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array",
			"Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "Function":
			_ = g.Delete(name)
		}
	}
}
