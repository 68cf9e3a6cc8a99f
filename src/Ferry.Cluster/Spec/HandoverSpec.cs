namespace Ferry.Cluster.Spec;

/// <summary>The hand-over.</summary>
public sealed record HandoverSpec
{
    [SpecKey("kind", "Which way.")]
    public HandoverKind Kind { get; init; } = HandoverKind.Ferry;

    [SpecKey("mode", "Who moves KV, and when (handover_mode); for engine.kind ferry only, on every node alike.")]
    public HandoverMode Mode { get; init; } = HandoverMode.Pull;

    [SpecKey("bufferDevice", "Where NIXL stages KV (kv_buffer_device); the same on both sides.")]
    public BufferDevice BufferDevice { get; init; } = BufferDevice.Cpu;

    [SpecKey("sideChannelPort", "Port of the NIXL side channel, at every node's own address.", Minimum = 1, Maximum = 65_535)]
    public int SideChannelPort { get; init; } = 5600;

    [SpecKey("leaseSeconds", "How long a prefill node holds KV that nobody has fetched (kv_lease_duration).", Minimum = 1, Maximum = 86_400)]
    public double LeaseSeconds { get; init; } = 30;

    [SpecKey("enforceCompatibility", "NIXL refuses peers whose handshake hash differs. Between vendors it always differs.")]
    public bool EnforceCompatibility { get; init; } = true;

    [SpecKey("pdBuffer", "lmcache-pd: receive buffer of one rank (pd_buffer_size).", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 42)]
    public long PdBufferBytes { get; init; } = 4L << 30;

    [SpecKey("pdProxyPort", "lmcache-pd: port of the proxy that senders notify.", Minimum = 1, Maximum = 65_535)]
    public int PdProxyPort { get; init; } = 7500;

    [SpecKey("pdInitPort", "lmcache-pd: first of the receiver's initialisation ports, one a rank.", Minimum = 1, Maximum = 65_535)]
    public int PdInitPort { get; init; } = 7300;

    [SpecKey("pdAllocPort", "lmcache-pd: first of the receiver's allocation ports, one a rank.", Minimum = 1, Maximum = 65_535)]
    public int PdAllocPort { get; init; } = 7400;
}
