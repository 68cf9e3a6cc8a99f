using Ferry.Cache.Records;
using Ferry.Kv.Keys;

namespace Ferry.Serving.Exchange.Push;

/// <summary>What was pushed here for one request of one prefill node. Everything that changes is under the desk's lock.</summary>
internal sealed class PushedRequest
{
    public HashSet<KvKey> Arrived { get; } = [];

    /// <summary>Leases of what arrived, so that it stays until the request comes for it.</summary>
    public List<RecordLease> Held { get; } = [];

    public List<PushRoom> Rooms { get; } = [];

    /// <summary>The request has had its KV: nothing is taken for it any more.</summary>
    public bool IsFinished { get; set; }

    public long LastUsed { get; set; }
}
