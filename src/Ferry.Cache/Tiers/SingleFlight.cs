namespace Ferry.Cache.Tiers;

/// <summary>Lets one caller do what several want at the same time; the others wait for that one. Thread-safe.</summary>
/// <remarks>A flight ends early only when nobody waits for it any more: one impatient caller does not take the work from the others.</remarks>
internal sealed class SingleFlight<TKey>
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Flight> _flights = [];

    /// <summary>Flights under way.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _flights.Count;
            }
        }
    }

    /// <summary>Runs <paramref name="work"/>, or joins the run under way.</summary>
    /// <returns>True when this caller's own work ran.</returns>
    public async Task<bool> RunAsync(TKey key, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        Flight flight;
        bool leads;
        lock (_lock)
        {
            leads = !_flights.TryGetValue(key, out flight!);
            if (leads)
            {
                flight = new Flight();
                _flights.Add(key, flight);
                flight.Task = FlyAsync(key, flight, work);
            }
            flight.Waiting++;
        }
        try
        {
            await flight.Task.WaitAsync(cancellationToken);
            return leads;
        }
        finally
        {
            Leave(key, flight);
        }
    }

    private async Task FlyAsync(TKey key, Flight flight, Func<CancellationToken, Task> work)
    {
        await Task.Yield(); // The lock is held by the caller.
        try
        {
            await work(flight.Stop.Token);
        }
        finally
        {
            Forget(key, flight);
        }
    }

    private void Leave(TKey key, Flight flight)
    {
        bool last;
        lock (_lock)
        {
            last = --flight.Waiting == 0;
            if (last)
            {
                Forget(key, flight); // The next caller starts anew instead of joining a flight that is being called off.
            }
        }
        if (last)
        {
            flight.Stop.Cancel();
        }
    }

    private void Forget(TKey key, Flight flight)
    {
        lock (_lock)
        {
            if (_flights.TryGetValue(key, out var current) && ReferenceEquals(current, flight))
            {
                _flights.Remove(key);
            }
        }
    }

    private sealed class Flight
    {
        public CancellationTokenSource Stop { get; } = new(); // No timer in it, so nothing to dispose.

        public Task Task { get; set; } = Task.CompletedTask;

        public int Waiting { get; set; }
    }
}
