using System.Text.Json.Nodes;
using Ferry.Engine.KvCache;

namespace Ferry.Engine.Connector;

/// <summary>Where the engine finds KV that it has not computed, and leaves KV that it has. The engine knows nothing behind it.</summary>
/// <remarks>Every call comes on the engine's own thread and must return without waiting for I/O.</remarks>
public interface IKvConnector
{
    /// <summary>Tokens of one chunk; a multiple of the pool's block.</summary>
    int ChunkTokens { get; }

    /// <summary>Whether <see cref="Save"/> is also wanted for full chunks that end in generated tokens.</summary>
    bool SavesGenerated => false;

    /// <summary>Whether <see cref="SaveLayer"/> is wanted. Read once, after <see cref="Attach"/>.</summary>
    bool SavesLayers => false;

    /// <summary>Called once the pool exists and before the first request.</summary>
    void Attach(KvPool pool);

    /// <summary>
    /// Called once for a new request. Null: nothing to load. Otherwise the engine gives other requests the machine until
    /// <see cref="IKvLoad.Completion"/> ends, then copies the chunks into its blocks.
    /// </summary>
    IKvLoad? TryBeginLoad(KvLoadRequest request);

    /// <summary>Tokens [<see cref="KvSave.FirstToken"/>, +<see cref="KvSave.TokenCount"/>) are computed. The connector copies them out of the pool before it returns.</summary>
    void Save(in KvSave save);

    /// <summary>
    /// One layer of a piece of a prompt is computed, while the step that computes the piece still runs: layers in order, then <see cref="Save"/> of the
    /// same piece, unless the step fails. Not every piece that is saved comes layer by layer.
    /// </summary>
    void SaveLayer(in KvSave save, int layer)
    {
    }

    /// <summary>
    /// The request ended. Returns what the response carries as <c>kv_transfer_params</c> (null: no transfer), for a request whose
    /// parameters asked for <c>do_remote_decode</c> and which finished by length or stop.
    /// </summary>
    JsonObject? RequestFinished(string requestId, bool completed);
}

/// <summary>A load under way.</summary>
public interface IKvLoad
{
    /// <summary>Never faults: a failure is a result with no chunks, and the engine computes instead.</summary>
    Task<KvLoadResult> Completion { get; }

    void Cancel();
}

/// <param name="Tokens">The whole prompt.</param>
/// <param name="LocalTokens">Tokens at the front that the engine's own prefix cache holds already.</param>
/// <param name="CacheSalt">Keeps tenants apart; empty for none.</param>
/// <param name="TransferParams">The request's <c>kv_transfer_params</c>, or null.</param>
public sealed record KvLoadRequest(
    string RequestId, ReadOnlyMemory<int> Tokens, int LocalTokens, string CacheSalt, JsonObject? TransferParams);

/// <summary>What a load brought. Disposing gives the bytes back.</summary>
/// <param name="chunks">Consecutive chunks from token 0 or from one at or before <see cref="KvLoadRequest.LocalTokens"/>; every rank's payload in the pool's <see cref="KvPool.RankLayout"/>.</param>
/// <param name="release">Called once, when the engine has copied the bytes.</param>
public sealed class KvLoadResult(IReadOnlyList<KvLoadedChunk> chunks, Action? release = null) : IDisposable
{
    private Action? _release = release;

    public static KvLoadResult Nothing { get; } = new([]);

    public IReadOnlyList<KvLoadedChunk> Chunks { get; } = chunks;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

/// <param name="RankPayloads">One payload a rank, rank 0 first.</param>
public sealed record KvLoadedChunk(int FirstToken, int TokenCount, IReadOnlyList<ReadOnlyMemory<byte>> RankPayloads);

/// <summary>Tokens just computed, with the blocks they lie in.</summary>
/// <param name="Prompt">Tokens from 0 up to and including the last of this piece (a chunk's hash depends on all before it).</param>
/// <param name="Blocks">Pool blocks of this piece only.</param>
/// <param name="IsLast">True for the last, perhaps unfull, piece of a prompt.</param>
/// <param name="IsGenerated">True for a full chunk that ends behind the prompt; <paramref name="Prompt"/> then goes on with the generated tokens.</param>
public readonly record struct KvSave(
    string RequestId, ReadOnlyMemory<int> Prompt, int FirstToken, int TokenCount, ReadOnlyMemory<int> Blocks,
    bool IsLast, string CacheSalt, JsonObject? TransferParams, bool IsGenerated = false);
