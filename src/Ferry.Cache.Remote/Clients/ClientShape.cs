using Ferry.Cache.Records;
using Ferry.Cache.Remote.Models;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Clients;

/// <summary>In which layout one rank of one client's model wants and stores its shards: all but the tokens. Immutable.</summary>
internal sealed class ClientShape
{
    private readonly ModelCard _card;
    private readonly KvLayout _layout;

    private ClientShape(ModelCard card, KvLayout layout, int? layer, bool calledUInt8, bool isOfEngine, bool trustsLength)
    {
        (_card, _layout, Layer, CalledUInt8, TrustsLength) = (card, layout, layer, calledUInt8, trustsLength);
        // The daemon stores full chunks only, and its clients read exactly as many bytes as they expect.
        var tokens = isOfEngine ? 0 : card.ChunkTokens;
        Same = new ChunkQuery(layout.FirstHead, layout.Heads, tokens, IsUsable: family => IsUsable(family) && IsSame(family));
        Any = new ChunkQuery(layout.FirstHead, layout.Heads, tokens, IsUsable: IsUsable);
        TokenBytes = (layout with { Tokens = 1 }).PayloadBytes;
    }

    /// <summary>Bytes of one token in the shard.</summary>
    public long TokenBytes { get; }

    /// <summary>Whether the client's key calls its fp8 type uint8, as its metadata must then too.</summary>
    public bool CalledUInt8 { get; }

    /// <summary>Whether LMCache has metadata for such shards: not for e4m3fnuz under its own name.</summary>
    public bool HasNotes => ClientNote.TryDescribe(_layout, CalledUInt8) is not null;

    /// <summary>Whether a value without metadata is believed to have this shape if its length fits.</summary>
    public bool TrustsLength { get; }

    /// <summary>Shards in the client's own element type and order of axes.</summary>
    public ChunkQuery Same { get; }

    /// <summary>Every shard that can be made into the client's.</summary>
    public ChunkQuery Any { get; }

    public int ChunkTokens => _card.ChunkTokens;

    /// <summary>The layer of a client that stores layer by layer, 0-based; null for whole chunks.</summary>
    public int? Layer { get; }

    /// <summary>For a whole chunk the shape of one of its layers and the other way round; null where the two do not look for each other.</summary>
    public ClientShape? Other { get; private init; }

    /// <summary>The shape that a key asks for.</summary>
    /// <param name="refusal">Why the key's values stay opaque, when there is none.</param>
    public static ClientShape? TryCreate(ModelCard card, ShardKey key, out string? refusal)
    {
        refusal = card.Refusal;
        if (refusal is not null)
        {
            return null;
        }
        var calledUInt8 = key.DType == "uint8";
        var dtype = key.DType is null || (calledUInt8 && card.DType is { } fp8 && fp8.IsFp8()) ? card.DType : ClientDTypes.TryParse(key.DType);
        if (dtype is not { } known)
        {
            refusal = key.DType is null ? "the key names no element type and the card has no dtype" : $"the element type {key.DType} has no conversion";
            return null;
        }
        if (key.Rank >= key.WorldSize)
        {
            refusal = $"rank {key.Rank} is not one of {key.WorldSize} (one rank writes for all: a model without KV heads)";
            return null;
        }
        if (card.KvHeads % key.WorldSize != 0 && key.WorldSize % card.KvHeads != 0)
        {
            refusal = $"{card.KvHeads} KV heads cannot be dealt out to {key.WorldSize} ranks";
            return null;
        }
        if (key.Layer is { } layer && layer >= card.Layers)
        {
            refusal = $"layer {layer} is not one of {card.Layers}";
            return null;
        }
        if (key.Distinction.StartsWith("group ", StringComparison.Ordinal))
        {
            refusal = $"{key.Distinction} is part of the layers, and nobody says which";
            return null;
        }
        var shape = Create(card, key, known, key.Layer);
        // Only LMCache in the engine stores layer by layer.
        return card.Layerwise && key.IsOfEngine
            ? new ClientShape(card, shape._layout, key.Layer, calledUInt8, true, shape.TrustsLength) { Other = Create(card, key, known, key.Layer is null ? 0 : null) }
            : shape;
    }

    private static ClientShape Create(ModelCard card, ShardKey key, KvDType dtype, int? layer)
    {
        var layout = new KvLayout
        {
            // LMCache stores a whole chunk as KV_2LTD and, layer by layer, as KV_T2D.
            Layers = layer is null ? card.Layers : 1,
            ModelHeads = card.KvHeads,
            FirstHead = 0,
            Heads = card.KvHeads,
            HeadDim = card.HeadDim,
            Tokens = 1,
            BlockTokens = 0,
            DType = dtype,
            Order = layer is null ? KvOrder.TwoLtd : KvOrder.T2d,
            Packing = KvPacking.Split,
            Scale = card.ScaleOf(dtype),
        }.ForRank(key.Rank, key.WorldSize);
        return new ClientShape(card, layout, layer, key.DType == "uint8", key.IsOfEngine, card.TensorParallelSizes.Contains(key.WorldSize));
    }

    public KvLayout Layout(int tokens) => _layout with { Tokens = tokens };

    /// <summary>LMCache's metadata of a shard in this client's terms; null where it has none.</summary>
    public byte[]? NoteOf(KvLayout wanted) => ClientNote.TryDescribe(wanted, CalledUInt8)?.ToBytes();

    /// <summary>One token of other heads and another type, in the card's scale.</summary>
    public KvLayout ForHeads(int firstHead, int heads, KvDType dtype) =>
        _layout with { Tokens = 1, FirstHead = firstHead, Heads = heads, DType = dtype, Scale = _card.ScaleOf(dtype) };

    /// <summary>The layout of a value of so many bytes if it is one of this shape, whatever its metadata will say.</summary>
    public KvLayout? TryLayout(int valueBytes) =>
        valueBytes > 0 && valueBytes % TokenBytes == 0 && valueBytes / TokenBytes <= _card.ChunkTokens ? Layout((int)(valueBytes / TokenBytes)) : null;

    /// <summary>The layout of a value that came without metadata: only a full chunk at a world size that the card vouches for.</summary>
    public KvLayout? TryLayoutWithoutNote(int valueBytes, out string? contradiction)
    {
        contradiction = null;
        if (!TrustsLength)
        {
            contradiction = "the value has no metadata and the card's tensor_parallel does not list this world size";
            return null;
        }
        if (valueBytes != TokenBytes * _card.ChunkTokens)
        {
            contradiction = $"the value has {valueBytes} bytes; {_card.ChunkTokens} tokens of this shard are {TokenBytes * _card.ChunkTokens}";
            return null;
        }
        return Layout(_card.ChunkTokens);
    }

    /// <summary>The layout of a value whose metadata agrees with the card in everything.</summary>
    /// <param name="contradiction">What does not agree, when there is none.</param>
    public KvLayout? TryLayout(int valueBytes, in ClientNote note, out string? contradiction)
    {
        contradiction = null;
        var (order, layers, tokens, width, kv) = note.Format switch
        {
            ClientNote.Format2Ltd => (KvOrder.TwoLtd, note.Shape1, note.Shape2, note.Shape3, note.Shape0),
            ClientNote.FormatT2d when note.Shape3 == 0 => (KvOrder.T2d, 1, note.Shape0, note.Shape2, note.Shape1),
            _ => default,
        };
        if (order == default)
        {
            contradiction = $"its metadata says format {note.Format}, which is neither KV_2LTD (1) nor KV_T2D (2)";
        }
        else if (kv != 2 || layers != _layout.Layers || width != _layout.Heads * _layout.HeadDim || tokens < 1 || tokens > _card.ChunkTokens)
        {
            contradiction = $"its metadata says {layers} layers of {tokens} tokens × {width}; the card says {_layout.Layers} layers of at most {_card.ChunkTokens} tokens × {_layout.Heads * _layout.HeadDim}";
        }
        else if (!ClientNote.Names(note.DType, _layout.DType))
        {
            contradiction = $"its metadata says element type {note.DType}; the key and the card say {_layout.DType.Name()}";
        }
        else if (valueBytes != TokenBytes * tokens)
        {
            contradiction = $"it has {valueBytes} bytes; {tokens} tokens of this shard are {TokenBytes * tokens}";
        }
        return contradiction is null ? Layout(tokens) with { Order = order } : null;
    }

    /// <summary>Whether shards of this family have the model's shape and a number type that may become the client's. What contradicts the card is of no use.</summary>
    private bool IsUsable(KvLayout family) =>
        family.Layers == _layout.Layers && family.ModelHeads == _layout.ModelHeads && family.HeadDim == _layout.HeadDim
        && family.Tokens <= _card.ChunkTokens && family.Scale == _card.ScaleOf(family.DType) && _card.Converts(family.DType, _layout.DType);

    /// <summary>Whether shards of this layout are in the client's element type and order of axes.</summary>
    public bool IsSame(KvLayout family) => family.DType == _layout.DType && family.Order == _layout.Order;
}
