namespace Ferry.Transfer.Probe;

/// <summary>Measures round trips of the side channel.</summary>
public sealed class NotificationProbe(ITransferPeer peer, TimeProvider clock)
{
    /// <summary>Sorted. Ends early, with the failure, if a notification is not taken.</summary>
    public async Task<(IReadOnlyList<TimeSpan> RoundTrips, TransferOutcome? Failure)> RunAsync(int count, CancellationToken cancellationToken)
    {
        var trips = new List<TimeSpan>(count);
        var message = "ferry.probe"u8.ToArray();
        for (var i = 0; i < count; i++)
        {
            var started = clock.GetTimestamp();
            if (await peer.NotifyAsync(message, cancellationToken) is { IsSuccess: false } failure)
            {
                return (trips, failure);
            }
            trips.Add(clock.GetElapsedTime(started));
        }
        trips.Sort();
        return (trips, null);
    }
}
