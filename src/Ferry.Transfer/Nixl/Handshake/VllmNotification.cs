namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>What vLLM's connectors say to each other in NIXL notifications.</summary>
public abstract record VllmNotification
{
    private VllmNotification()
    {
    }

    /// <summary>A decode worker has read a request's blocks.</summary>
    /// <param name="TensorParallelSize">Of the decode engine: the owner waits for as many as read from it.</param>
    public sealed record ReadDone(string RequestId, int TensorParallelSize) : VllmNotification;

    /// <summary>A decode worker still wants these requests.</summary>
    public sealed record Heartbeat(IReadOnlyList<string> RequestIds) : VllmNotification;

    /// <summary>A decode worker wants a request to be written into its blocks.</summary>
    public sealed record Push(PushRegistration Registration) : VllmNotification;
}
