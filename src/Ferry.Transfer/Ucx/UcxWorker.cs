using System.Collections.Concurrent;
using Ferry.Transfer.Ucx.Messages;
using Ferry.Transfer.Ucx.Native;
using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.Ucx;

/// <summary>One ucp_worker and the thread that owns it: all that is done with its endpoints is done there.</summary>
/// <remarks>
/// One thread, because UCX's own mode for many takes spin locks, which on a busy core cost 64 KiB operations nine tenths of their speed.
/// The thread makes progress while there is any, then sleeps on the worker's event descriptor. Work posted from another thread wakes it; what follows
/// from a completion runs right after UCX has returned (<see cref="Defer"/>), so a chain of operations never changes threads.
/// </remarks>
internal sealed class UcxWorker : IAsyncDisposable
{
    // UCX shows not every event on the descriptor (room in a shared-memory queue, for one; NIXL sleeps 1 ms at most for it). This bounds what
    // a missed one costs, with something under way or not long after: a peer that reads through this process is nothing of its own.
    private const int SleepBusyMilliseconds = 1;
    private const int SleepIdleMilliseconds = 20;
    private static readonly TimeSpan BusyFor = TimeSpan.FromMilliseconds(100);

    // Requests kept for use again: several times what one transfer has in flight.
    private const int SpareRequestsMax = 256;

    private readonly ConcurrentQueue<IUcxWork> _posted = new(); // each is held by a caller that waits for it, whose number is bounded above
    private readonly Queue<IUcxWork> _deferred = new(); // worker's thread only
    private readonly Stack<UcxRequest> _spare = new();
    private readonly HashSet<UcxEndpoint> _endpoints = []; // worker's thread only
    private readonly Dictionary<uint, UcxMessageHandler> _handlers = []; // worker's thread only
    private readonly List<UcxMessages> _messages = []; // worker's thread only
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly long _spinTicks;
    private UcxHandle? _handle;
    private Thread? _thread;
    private int _eventFd;
    private int _inFlight; // worker's thread only
    private bool _progressing; // worker's thread only
    private volatile bool _sleeping;
    private volatile bool _stopping;
    private int _disposed;

    private UcxWorker(UcxContext context, ILogger logger)
    {
        Context = context;
        _logger = logger;
        _clock = context.Options.Clock;
        _spinTicks = (long)(context.Options.SpinTime.TotalSeconds * _clock.TimestampFrequency);
    }

    public UcxContext Context { get; }

    /// <summary>What a peer needs to connect; some hundred bytes, more with every device.</summary>
    public ReadOnlyMemory<byte> Address { get; private set; }

    /// <summary>Set by <see cref="ReadByMessagesAsync"/>; for the worker's thread.</summary>
    internal UcxReads? Reads { get; private set; }

    /// <summary>Set with <see cref="Reads"/>.</summary>
    internal UcxAnswers? Answers { get; private set; }

    internal ILogger Logger => _logger;

    internal bool IsOwnerThread => Thread.CurrentThread == _thread;

    /// <summary>The native worker, for its own thread.</summary>
    /// <exception cref="ObjectDisposedException">The worker is gone.</exception>
    internal nint Native => _handle is { IsClosed: false } handle ? handle.DangerousGetHandle() : throw new ObjectDisposedException(nameof(UcxWorker));

    /// <summary>Makes a worker and starts its thread.</summary>
    /// <exception cref="UcxException">UCX cannot make one.</exception>
    public static async Task<UcxWorker> StartAsync(UcxContext context, ILogger logger)
    {
        var worker = new UcxWorker(context, logger);
        worker._thread = new Thread(worker.Run) { IsBackground = true, Name = "ferry-ucx" };
        worker._thread.Start();
        await worker._started.Task;
        return worker;
    }

    /// <summary>Has the worker's thread do something soon; when called on it as <see cref="Defer"/>.</summary>
    public void Post(IUcxWork work)
    {
        if (IsOwnerThread)
        {
            Defer(work);
            return;
        }
        _posted.Enqueue(work);
        Thread.MemoryBarrier(); // pairs with the one before sleeping: either that sees the work or this sees the sleep
        if (_sleeping)
        {
            Signal();
        }
        if (_ended.Task.IsCompleted)
        {
            RunPosted(); // every endpoint is closed and refuses: the caller learns that
        }
    }

    /// <summary>
    /// Has the worker's thread do something once UCX has returned from what it does now; at once if it does nothing. What is sent from a callback of UCX
    /// can fail there, and tcp of UCX 1.13 asserts when it then comes to an event of the failed connection that it had fetched before.
    /// </summary>
    internal void Defer(IUcxWork work)
    {
        if (_progressing)
        {
            _deferred.Enqueue(work);
            return;
        }
        work.Run();
    }

    /// <summary>Calls a function on the worker's thread.</summary>
    public Task<T> CallAsync<T>(Func<T> function)
    {
        var call = new UcxCall<T>(function);
        Post(call);
        return call.Result;
    }

    /// <summary>Connects to a worker by its address. Nothing is sent before the first operation; a peer that is not there shows then.</summary>
    /// <param name="failed">Called once on the worker's thread when the peer is lost.</param>
    /// <param name="peer">See <see cref="UcxEndpoint.Peer"/>.</param>
    /// <exception cref="UcxException">No transport of both reaches it.</exception>
    public Task<UcxEndpoint> ConnectAsync(ReadOnlyMemory<byte> address, Action<UcsStatus>? failed = null, UInt128 peer = default) =>
        CallAsync(() => UcxEndpoint.Create(this, address.Span, peer, failed));

    /// <summary>Reads by messages where no transport reads by itself, and answers peers that do so. Before the first connection.</summary>
    /// <param name="token">Of this process's <see cref="UcxAddress"/>.</param>
    public async Task ReadByMessagesAsync(UInt128 token)
    {
        await CallAsync(() => (Reads, Answers) = (new UcxReads(this, token), new UcxAnswers(this)));
        await OnMessageAsync(UcxReadQuestion.MessageId, (header, _) => Answers!.Take(header));
        await OnMessageAsync(UcxReadAnswer.MessageId, (header, payload) => Reads!.Take(header, payload));
    }

    /// <summary>Takes active messages of an id from now on; what came before was dropped.</summary>
    /// <param name="handler">On the worker's thread; must neither block nor throw.</param>
    public Task OnMessageAsync(uint id, UcxMessageHandler handler) => CallAsync(() =>
    {
        if (!_handlers.ContainsKey(id))
        {
            _messages.Add(UcxMessages.Register(this, id));
        }
        _handlers[id] = handler;
        return true;
    });

    /// <summary>Closes all endpoints, waits for what is under way, and ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _stopping = true;
            Signal();
        }
        await _ended.Task;
    }

    internal UcxRequest Rent() => _spare.TryPop(out var request) ? request : new UcxRequest(this);

    internal void Return(UcxRequest request)
    {
        if (_spare.Count < SpareRequestsMax)
        {
            _spare.Push(request);
            return;
        }
        request.Free();
    }

    /// <summary>Counts what UCX has under way.</summary>
    internal UcsStatus Count(UcsStatus begun)
    {
        _inFlight += begun == UcsStatus.InProgress ? 1 : 0;
        return begun;
    }

    internal void Tell(IUcxCompletion target, UcsStatus status)
    {
        _inFlight--;
#pragma warning disable CA1031 // Called from native code, which an exception must not cross.
        try
        {
            target.Completed(status);
        }
        catch (Exception exception)
        {
            UcxLog.CallbackFailed(_logger, exception);
        }
#pragma warning restore CA1031
    }

    /// <summary>Has UCX go on as long as something of it must end first; <paramref name="giveUp"/> is to end it when that takes too long.</summary>
    internal void ProgressWhile(Func<bool> isUnderWay, Action giveUp)
    {
        var began = _clock.GetTimestamp();
        var given = false;
        while (isUnderWay() && _handle is { IsClosed: false })
        {
            Progress();
            if (!given && _clock.GetElapsedTime(began) > Context.Options.CloseTimeout)
            {
                given = true;
                giveUp();
            }
        }
    }

    internal void Add(UcxEndpoint endpoint) => _endpoints.Add(endpoint);

    internal void Remove(UcxEndpoint endpoint) => _endpoints.Remove(endpoint);

    internal void Deliver(uint id, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        if (_handlers.TryGetValue(id, out var handler))
        {
            handler(header, payload);
        }
    }

    private unsafe void Signal()
    {
        // The handle stays until the thread has ended, which waits for the caller's work.
        if (_handle is { IsClosed: false } handle)
        {
            var held = false;
            try
            {
                handle.DangerousAddRef(ref held);
                Context.Api.WorkerSignal((void*)handle.DangerousGetHandle());
            }
            catch (ObjectDisposedException)
            {
                // The thread has just ended: there is nobody to wake.
            }
            finally
            {
                if (held)
                {
                    handle.DangerousRelease();
                }
            }
        }
    }

    private void Run()
    {
#pragma warning disable CA1031 // The edge of a thread: the reason goes to whoever waits for it.
        try
        {
            Open();
        }
        catch (Exception exception)
        {
            _handle?.Dispose();
            _ended.SetResult();
            _started.SetException(exception);
            return;
        }
        _started.SetResult();
        try
        {
            Work();
            Close();
        }
        catch (Exception exception)
        {
            UcxLog.WorkerFailed(_logger, exception);
        }
        finally
        {
            _handle!.Dispose();
            _messages.ForEach(one => one.Dispose()); // UCX calls them no more
            RunPosted();
            _ended.SetResult();
        }
#pragma warning restore CA1031
    }

    private unsafe void Open()
    {
        var api = Context.Api;
        var parameters = new UcpWorkerParams { FieldMask = UcpWorkerParams.FieldThreadMode };
        void* worker;
        Check(api.WorkerCreate((void*)Context.Handle.DangerousGetHandle(), &parameters, &worker), "ucp_worker_create");
        _handle = new UcxHandle((nint)worker, native => api.WorkerDestroy((void*)native), UcxHandleCounts.Worker, Context.Handle);
        int eventFd;
        Check(api.WorkerGetEventFd(worker, &eventFd), "ucp_worker_get_efd");
        _eventFd = eventFd;
        void* address;
        nuint bytes;
        Check(api.WorkerGetAddress(worker, &address, &bytes), "ucp_worker_get_address");
        Address = new ReadOnlySpan<byte>(address, (int)bytes).ToArray();
        api.WorkerReleaseAddress(worker, address);
    }

    private void Work()
    {
        var lastEvent = _clock.GetTimestamp();
        while (!_stopping || !_posted.IsEmpty)
        {
            if (RunPosted() | Progress())
            {
                lastEvent = 0;
                continue;
            }
            if (lastEvent == 0)
            {
                lastEvent = _clock.GetTimestamp();
            }
            // Even with nothing of its own under way: a peer that reads through this process sends the next question soon.
            if (_clock.GetTimestamp() - lastEvent > _spinTicks)
            {
                Sleep(_inFlight > 0 || _clock.GetElapsedTime(lastEvent) < BusyFor ? SleepBusyMilliseconds : SleepIdleMilliseconds);
            }
        }
    }

    private unsafe bool Progress()
    {
        _progressing = true;
        var any = Context.Api.WorkerProgress((void*)Native) != 0;
        _progressing = false;
        while (_deferred.TryDequeue(out var work))
        {
            work.Run();
            any = true;
        }
        return any;
    }

    private bool RunPosted()
    {
        var any = false;
        while (_posted.TryDequeue(out var work))
        {
            work.Run();
            any = true;
        }
        return any;
    }

    private unsafe void Sleep(int timeoutMilliseconds)
    {
        _sleeping = true;
        Thread.MemoryBarrier();
        // Only once arming does not answer Busy is every event sure to show on the descriptor (ucp.h, WAKEUP).
        if (_posted.IsEmpty && !_stopping && (UcsStatus)Context.Api.WorkerArm((void*)Native) == UcsStatus.Ok)
        {
            EventPoll.Wait(_eventFd, timeoutMilliseconds);
        }
        _sleeping = false;
    }

    private void Close()
    {
        foreach (var endpoint in _endpoints.ToArray())
        {
            endpoint.BeginClose();
        }
        var began = _clock.GetTimestamp();
        while (_inFlight > 0 && _clock.GetElapsedTime(began) < Context.Options.CloseTimeout)
        {
            RunPosted();
            Progress();
        }
        if (_inFlight > 0)
        {
            // Freeing what UCX may still call back would be worse than keeping it.
            UcxLog.NotDrained(_logger, _inFlight, Context.Options.CloseTimeout);
            foreach (var endpoint in _endpoints)
            {
                endpoint.Abandon();
            }
            return;
        }
        while (_spare.TryPop(out var request))
        {
            request.Free();
        }
    }

    private void Check(sbyte status, string call)
    {
        if (status < 0)
        {
            throw new UcxException($"{call}: {Context.Api.Describe((UcsStatus)status)}.", (UcsStatus)status);
        }
    }
}
