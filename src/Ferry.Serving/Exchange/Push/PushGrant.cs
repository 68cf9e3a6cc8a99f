using Ferry.Transfer.SideChannel;

namespace Ferry.Serving.Exchange.Push;

/// <summary>Room at the decode node under one lease, and the chunks that go there.</summary>
internal sealed class PushGrant(PrepareReply reply)
{
    public PrepareReply Reply { get; } = reply;

    /// <summary>Chunks that are not there yet.</summary>
    public int ChunksLeft { get; set; }
}
