using System.Threading.Channels;

namespace Ferry.Engine.Generation;

/// <summary>A request in flight. Its owner reads <see cref="Outputs"/> to the end or aborts.</summary>
/// <param name="outputs">
/// Completes after the last choice's last increment. It holds at most one increment a token, so max_model_len bounds it and a
/// slow reader never stalls the engine.
/// </param>
/// <param name="abort">Called at most once.</param>
public sealed class GenerationHandle(string requestId, ChannelReader<GenerationOutput> outputs, Action abort) : IAsyncDisposable
{
    private Action? _abort = abort;

    public string RequestId { get; } = requestId;

    public ChannelReader<GenerationOutput> Outputs { get; } = outputs;

    /// <summary>Ends what is not finished, with <see cref="FinishReason.Abort"/>, and gives its blocks back. Harmless when finished.</summary>
    public void Abort() => Interlocked.Exchange(ref _abort, null)?.Invoke();

    public ValueTask DisposeAsync()
    {
        Abort();
        return ValueTask.CompletedTask;
    }
}
