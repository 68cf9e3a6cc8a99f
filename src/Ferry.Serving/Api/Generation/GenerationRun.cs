using System.Security.Cryptography;
using System.Threading.Channels;
using Ferry.Engine.Generation;

namespace Ferry.Serving.Api.Generation;

/// <summary>The engine requests of one API request: one a prompt. Disposing aborts what is not finished.</summary>
internal sealed class GenerationRun : IAsyncDisposable
{
    /// <summary>Outputs of several prompts wait here for one reader; each prompt's own channel holds the rest.</summary>
    private const int MergedOutputs = 256;

    private readonly List<GenerationHandle> _handles;
    private readonly int _choicesPerPrompt;
    private readonly Channel<RunOutput>? _merged;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _pumps = Task.CompletedTask;

    private GenerationRun(List<GenerationHandle> handles, int choicesPerPrompt)
    {
        _handles = handles;
        _choicesPerPrompt = choicesPerPrompt;
        if (handles.Count > 1)
        {
            _merged = Channel.CreateBounded<RunOutput>(MergedOutputs);
            _pumps = PumpAllAsync(_merged.Writer);
        }
    }

    /// <summary>Ids as the engine and the exchange know them, one a prompt.</summary>
    public IReadOnlyList<string> EngineIds => [.. _handles.Select(handle => handle.RequestId)];

    /// <summary>Submits all prompts, or none.</summary>
    public static async ValueTask<GenerationRun> StartAsync(ILlmEngine engine, GenerationPlan plan)
    {
        var handles = new List<GenerationHandle>(plan.Prompts.Count);
        try
        {
            for (var index = 0; index < plan.Prompts.Count; index++)
            {
                // A client may send one X-Request-Id twice at a time; the engine's id must be unique, so it ends in random digits, as vLLM's does.
                var engineId = $"{plan.PublicId}-{index}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
                handles.Add(engine.Submit(new GenerationRequest(engineId, plan.Prompts[index], plan.Sampling[index], plan.CacheSalt, plan.TransferParams)));
            }
            return new GenerationRun(handles, plan.ChoicesPerPrompt);
        }
        catch
        {
            foreach (var handle in handles)
            {
                await handle.DisposeAsync();
            }
            throw;
        }
    }

    /// <summary>The next increment of any choice; null when all choices are finished.</summary>
    public async ValueTask<RunOutput?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_merged is not null)
        {
            return await _merged.Reader.WaitToReadAsync(cancellationToken) && _merged.Reader.TryRead(out var merged) ? merged : null;
        }
        var outputs = _handles[0].Outputs;
        return await outputs.WaitToReadAsync(cancellationToken) && outputs.TryRead(out var output) ? new RunOutput(0, output.Index, output) : null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var handle in _handles)
        {
            await handle.DisposeAsync();
        }
        await _stopping.CancelAsync();
        await _pumps;
        _stopping.Dispose();
    }

    private async Task PumpAllAsync(ChannelWriter<RunOutput> merged)
    {
        try
        {
            await Task.WhenAll(_handles.Select((handle, index) => PumpAsync(handle, index, merged)));
            merged.TryComplete();
        }
        catch (OperationCanceledException)
        {
            merged.TryComplete();
        }
        catch (Exception exception)
        {
            merged.TryComplete(exception);   // the reader throws it at the edge of the request
        }
    }

    private async Task PumpAsync(GenerationHandle handle, int promptIndex, ChannelWriter<RunOutput> merged)
    {
        await foreach (var output in handle.Outputs.ReadAllAsync(_stopping.Token))
        {
            await merged.WriteAsync(new RunOutput(promptIndex, promptIndex * _choicesPerPrompt + output.Index, output), _stopping.Token);
        }
    }
}
