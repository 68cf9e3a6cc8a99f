using Ferry.Router.Bodies;
using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>How the first leg ended. Owns the reply's bytes: dispose it when the second leg is sent and nothing more is taken from the reply.</summary>
internal sealed class PrefillOutcome : IDisposable
{
    private PooledBytes? _bytes;

    private PrefillOutcome(Node? node) => Node = node;

    /// <summary>The node that did the leg, or failed it last; null when none was asked.</summary>
    public Node? Node { get; }

    /// <summary>kv_transfer_params for the second leg; empty when there are none.</summary>
    public ReadOnlyMemory<byte> TransferParams { get; private init; }

    /// <summary>Why no KV is handed over; null when it is.</summary>
    public string? NoHandoverReason { get; private init; }

    /// <summary>The leg succeeded and brought nothing to hand over, although its connector should have: the silent failure that this router is loud about.</summary>
    public bool IsTransferMissing { get; private init; }

    /// <summary>A 4xx that goes to the client as it is; null otherwise.</summary>
    public PrefillRefusal? Refusal { get; private init; }

    /// <summary>What the node said; null unless it did the leg.</summary>
    public NodeReply? Reply { get; private init; }

    /// <summary>Which connector meets; "-" when none does.</summary>
    public string Connector { get; private init; } = "-";

    /// <summary>Timestamp until which the node holds its blocks.</summary>
    public long LeaseEnd { get; private init; } = long.MaxValue;

    /// <summary>Time of the leg, all tries together.</summary>
    public TimeSpan Elapsed { get; set; }

    /// <summary>Whether the decode node is to find KV that this leg made.</summary>
    public bool HandsOver => NoHandoverReason is null;

    /// <summary>Whether the leg was tried and did not succeed.</summary>
    public bool HasFailed { get; private init; }

    public static PrefillOutcome Skipped(string reason) => new(null) { NoHandoverReason = reason };

    public static PrefillOutcome Failed(Node? node, string reason) => new(node) { NoHandoverReason = reason, HasFailed = true };

    public static PrefillOutcome Refused(Node node, PrefillRefusal refusal, PooledBytes bytes) =>
        new(node) { NoHandoverReason = $"prefill answered {refusal.Status}", Refusal = refusal, _bytes = bytes };

    public static PrefillOutcome Missing(Node node, NodeReply reply, PooledBytes bytes, string reason) =>
        new(node) { NoHandoverReason = reason, IsTransferMissing = true, Reply = reply, _bytes = bytes };

    /// <param name="transferParams">Empty: the connector finds KV by content.</param>
    public static PrefillOutcome Done(Node node, NodeReply reply, PooledBytes bytes, ReadOnlyMemory<byte> transferParams, string connector, long leaseEnd) =>
        new(node) { Reply = reply, _bytes = bytes, TransferParams = transferParams, Connector = connector, LeaseEnd = leaseEnd };

    public void Dispose() => Interlocked.Exchange(ref _bytes, null)?.Dispose();
}
