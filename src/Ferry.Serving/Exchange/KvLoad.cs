using Ferry.Engine.Connector;

namespace Ferry.Serving.Exchange;

/// <summary>A load under way.</summary>
internal sealed class KvLoad : IKvLoad
{
    private readonly CancellationTokenSource _cancel = new();

    public KvLoad(Func<CancellationToken, Task<KvLoadResult>> run) => Completion = Task.Run(() => run(_cancel.Token));

    public Task<KvLoadResult> Completion { get; }

    public void Cancel() => _cancel.Cancel(); // No timer in it, so nothing to dispose.
}
