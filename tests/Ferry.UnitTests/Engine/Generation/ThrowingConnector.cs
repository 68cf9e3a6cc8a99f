using System.Text.Json.Nodes;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>Breaks every promise of the seam.</summary>
internal sealed class ThrowingConnector : IKvConnector
{
    /// <summary>Whether it begins loads, which then fault.</summary>
    public bool Load { get; init; }

    public int ChunkTokens => 16;

    public void Attach(KvPool pool)
    {
    }

    public IKvLoad? TryBeginLoad(KvLoadRequest request) => Load ? new FaultedLoad() : throw new InvalidOperationException("load");

    public void Save(in KvSave save) => throw new InvalidOperationException("save");

    public JsonObject? RequestFinished(string requestId, bool completed) => throw new InvalidOperationException("finished");

    private sealed class FaultedLoad : IKvLoad
    {
        public Task<KvLoadResult> Completion { get; } = Task.FromException<KvLoadResult>(new InvalidOperationException("faulted"));

        public void Cancel()
        {
        }
    }
}
