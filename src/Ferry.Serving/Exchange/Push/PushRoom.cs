using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Transfer;

namespace Ferry.Serving.Exchange.Push;

/// <summary>Room under one write lease, for records that a prefill node has announced. Everything that changes is under the desk's lock.</summary>
internal sealed class PushRoom(PushedRequest request, AgentIdentity writer)
{
    public PushedRequest Request { get; } = request;

    public AgentIdentity Writer { get; } = writer;

    /// <summary>Chunks with the room for their shards. Each is claimed: nobody else fetches it meanwhile.</summary>
    public List<(KvKey Key, List<RecordReservation> Shards)> Chunks { get; } = [];

    /// <summary>Of all records.</summary>
    public long Bytes { get; set; }

    /// <summary>0 until it is granted.</summary>
    public ulong LeaseId { get; set; }

    /// <summary>The writer says that everything is in place.</summary>
    public bool IsWritten { get; set; }

    public bool IsEnded { get; private set; }

    /// <summary>Ends when the room is no more: whether the records were taken.</summary>
    public TaskCompletionSource<bool> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Nobody writes to it any more. What is taken counts as arrived before anybody can see it: whoever finds a record knows whence it came.</summary>
    /// <returns>Whether what was written is taken.</returns>
    public bool End(LeaseEnd end)
    {
        IsEnded = true;
        var isTaken = IsWritten && end == LeaseEnd.Released;
        if (isTaken && !Request.IsFinished)
        {
            Request.Arrived.UnionWith(Chunks.Select(chunk => chunk.Key));
        }
        return isTaken;
    }
}
