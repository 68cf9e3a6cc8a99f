using System.Collections.Concurrent;
using Ferry.Engine.Chat;
using Ferry.Engine.Connector;
using Ferry.Engine.Model;
using Ferry.Engine.Scheduling;
using Ferry.Engine.Tokenization;
using Microsoft.Extensions.Logging;

namespace Ferry.Engine.Generation;

/// <summary>The real engine: one thread owns scheduler, model and KV pool; everybody else posts to it.</summary>
public sealed class LlmEngine : ILlmEngine
{
    // How long disposal waits for loads that were told to end. They should end at once; an exchange gives up on a peer within seconds.
    private static readonly TimeSpan LoadsEnd = TimeSpan.FromSeconds(10);

    private readonly EngineCore _core;
    private readonly EngineInbox _inbox = new();
    private readonly ConcurrentDictionary<string, RequestState> _inFlight = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private IDisposable? _owned;
    private readonly long _seed;
    private readonly int _maxWaiting;
    private readonly Task _loop;
    private long _submissions;
    private int _waiting;
    private volatile EngineStats _stats = new();

    /// <param name="owned">Disposed at the end: what the runner stands on.</param>
    /// <exception cref="ArgumentException">The limits do not fit together, or the connector's chunks do not fit the pool.</exception>
    internal LlmEngine(
        EngineInfo info, IModelRunner runner, SchedulerLimits limits, Tokenizer tokenizer, ChatTemplate? chatTemplate,
        IKvConnector? connector, TimeProvider time, ILogger logger, long seed = 0, IDisposable? owned = null)
    {
        (Info, Tokenizer, ChatTemplate, _time, _logger, _seed, _owned) = (info, tokenizer, chatTemplate, time, logger, seed, owned);
        _maxWaiting = limits.MaxWaiting;
        _core = new EngineCore(runner, limits, tokenizer, connector, _inbox, time, logger);
        _loop = Task.Factory.StartNew(Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public EngineInfo Info { get; }

    public Tokenizer Tokenizer { get; }

    public ChatTemplate? ChatTemplate { get; }

    public bool IsRunning => !_inbox.IsClosed;

    /// <summary>Loads a model directory and starts the engine.</summary>
    /// <param name="connector">Where KV comes from and goes to, or null. The caller keeps it and ends it after the engine.</param>
    /// <exception cref="EngineOptionsException">Options that do not fit each other or the model: all of them at once.</exception>
    /// <exception cref="ModelLoadException">Config or weights cannot be used.</exception>
    /// <exception cref="TokenizerException">The tokenizer's files cannot be used.</exception>
    public static LlmEngine Load(
        string modelDirectory, EngineOptions options, IKvConnector? connector, TimeProvider time, ILoggerFactory loggers) =>
        Load(modelDirectory, options, _ => connector, time, loggers);

    /// <summary>The same with a connector that needs the model's fingerprint.</summary>
    /// <param name="connect">Called once, with the fingerprint of the loaded model.</param>
    public static LlmEngine Load(
        string modelDirectory, EngineOptions options, Func<UInt128, IKvConnector?> connect, TimeProvider time, ILoggerFactory loggers) =>
        EngineLoader.Load(modelDirectory, options, connect, time, loggers);

    public EngineStats Snapshot() => _stats;

    public GenerationHandle Submit(GenerationRequest request)
    {
        RequestValidator.Check(request, Info);
        var state = new RequestState(request, _time.GetTimestamp())
        {
            MaxTokens = Math.Min(request.Sampling.MaxTokens ?? int.MaxValue, Info.MaxModelLen - request.Prompt.Count),
            EndTokens = [.. request.Sampling.StopTokenIds, .. request.Sampling.IgnoreEos ? [] : Info.EosTokenIds],
            LeftQueue = () => Interlocked.Decrement(ref _waiting),
            Ended = () => _inFlight.TryRemove(request.RequestId, out _),
        };
        if (Interlocked.Increment(ref _waiting) > _maxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new EngineOverloadedException($"{_maxWaiting} requests are waiting already. Try again later.");
        }
        if (!_inFlight.TryAdd(request.RequestId, state))
        {
            Interlocked.Decrement(ref _waiting);
            throw new ArgumentException($"A request with the id \"{request.RequestId}\" is in flight.");
        }
        // A request without a seed gets its own stream; the same order of submissions gives the same tokens.
        var seed = request.Sampling.Seed is { } given
            ? unchecked((ulong)given)
            : unchecked((ulong)_seed ^ ((ulong)Interlocked.Increment(ref _submissions) * 0x9E3779B97F4A7C15));
        if (!_inbox.TryPost(() => _core.Add(state, seed)))
        {
            _inFlight.TryRemove(request.RequestId, out _);
            throw new ObjectDisposedException(nameof(LlmEngine), "The engine has stopped.");
        }
        return new GenerationHandle(request.RequestId, state.Outputs, () => _inbox.TryPost(() => _core.Abort(state)));
    }

    public async ValueTask DisposeAsync()
    {
        _inbox.Close();
        await _loop;
        try
        {
            await Task.WhenAll(_core.Loads).WaitAsync(LoadsEnd, _time);
        }
        catch (TimeoutException)
        {
            EngineLog.LoadsStuck(_logger, LoadsEnd);
        }
        Interlocked.Exchange(ref _owned, null)?.Dispose();
    }

    private void Loop()
    {
        try
        {
            while (!_inbox.IsClosed)
            {
                _inbox.Drain();
                var worked = _core.Step();
                _stats = _core.Snapshot();
                if (!worked) { _inbox.Wait(); }
            }
        }
        catch (Exception error)
        {
            EngineLog.LoopFailed(_logger, error); // the edge of the loop: logged once, and everybody told below
        }
        _inbox.Close();
        _inbox.Drain();
        foreach (var request in _inFlight.Values) { _core.Abort(request); }
        _stats = _core.Snapshot();
    }
}
