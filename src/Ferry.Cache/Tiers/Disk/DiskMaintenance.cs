using Ferry.Cache.Tiers.Disk.Segments;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>The loop behind the puts: finishes full segments, syncs by the interval, gives room back, moves sparse segments together.</summary>
internal sealed class DiskMaintenance : IAsyncDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10); // Without an interval to keep: for what a wake-up was not sent for.

    private readonly SegmentStore _store;
    private readonly Reclaimer _reclaimer;
    private readonly WriteSwitch _switch;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public DiskMaintenance(SegmentStore store, Reclaimer reclaimer, WriteSwitch writeSwitch, DiskTierOptions options, TimeProvider time)
    {
        (_store, _reclaimer, _switch, _time) = (store, reclaimer, writeSwitch, time);
        _interval = options.Sync == DiskSyncPolicy.Interval ? options.SyncInterval : Idle;
        _loop = Task.Run(LoopAsync);
    }

    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already woken.
        }
    }

    /// <returns>True when there may be more to do at once.</returns>
    public static async Task<bool> RunOnceAsync(SegmentStore store, Reclaimer reclaimer, CancellationToken cancellationToken)
    {
        await FinishAsync(store, cancellationToken);
        if (store.Options.Sync == DiskSyncPolicy.Interval)
        {
            await SyncDirtyAsync(store);
        }
        return await reclaimer.TidyAsync(cancellationToken);
    }

    /// <summary>Everything on the medium, and said so in the segments: the next start proves nothing again.</summary>
    public static async Task CloseAsync(SegmentStore store)
    {
        lock (store.Gate)
        {
            SegmentStore.Seal_NeedsLock(store.Puts);
            SegmentStore.Seal_NeedsLock(store.Moves);
        }
        await FinishAsync(store, CancellationToken.None);
        await SyncDirtyAsync(store);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose(); // Not the semaphore: the last puts may still wake it.
    }

    private static Task SyncDirtyAsync(SegmentStore store) =>
        ForEachAsync(store, static segment => segment is { IsDirty: true, IsGone: false, IsBroken: false }, segment => segment.SyncAsync(store.Writes));

    private static Task FinishAsync(SegmentStore store, CancellationToken cancellationToken) => ForEachAsync(
        store, static segment => segment is { IsSealed: true, IsFinished: false, OpenPlaces: 0, IsGone: false, IsMoving: false },
        segment => store.Writes.RunAsync(() => store.Finish(segment), cancellationToken));

    /// <summary>Does something with every segment of a kind, which stays open meanwhile: it may be emptied and deleted beside.</summary>
    private static async Task ForEachAsync(SegmentStore store, Func<DiskSegment, bool> isWanted, Func<DiskSegment, Task> act)
    {
        DiskSegment[] segments;
        lock (store.Gate)
        {
            segments = [.. store.Segments_NeedsLock.Where(isWanted)];
        }
        foreach (var segment in segments)
        {
            lock (store.Gate)
            {
                if (!isWanted(segment))
                {
                    continue; // No more.
                }
                SegmentStore.Hold_NeedsLock(segment);
            }
            try
            {
                await act(segment);
            }
            finally
            {
                store.LetGo(segment);
            }
        }
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (!await RunOnceAsync(_store, _reclaimer, _stop.Token))
                {
                    await WaitAsync();
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) // The edge of the loop: the switch says it once, and the loop goes on when the disk does.
            {
                _switch.Failed(error);
                await WaitAsync();
            }
        }
    }

    private async Task WaitAsync()
    {
        // A semaphore waits by the system's clock; a delay by the one that was given.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var woken = _wake.WaitAsync(either.Token);
        await Task.WhenAny(woken, Task.Delay(_interval, _time, either.Token));
        await either.CancelAsync();
        await woken.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
