namespace Ferry.Kv.Records;

/// <summary>Where each field of a version 1 header lies; docs/wire/record.md is checked against <see cref="All"/>.</summary>
internal static class KvRecordFields
{
    public static readonly KvRecordField Magic = new("magic", 0, 8);
    public static readonly KvRecordField Version = new("version", 8, 2);
    public static readonly KvRecordField HeaderBytes = new("header_bytes", 10, 2);
    public static readonly KvRecordField Flags = new("flags", 12, 4);
    public static readonly KvRecordField Layers = new("layers", 16, 4);
    public static readonly KvRecordField ModelHeads = new("model_heads", 20, 4);
    public static readonly KvRecordField FirstHead = new("first_head", 24, 4);
    public static readonly KvRecordField Heads = new("heads", 28, 4);
    public static readonly KvRecordField HeadDim = new("head_dim", 32, 4);
    public static readonly KvRecordField Tokens = new("tokens", 36, 4);
    public static readonly KvRecordField BlockTokens = new("block_tokens", 40, 4);
    public static readonly KvRecordField DType = new("dtype", 44, 1);
    public static readonly KvRecordField Order = new("order", 45, 1);
    public static readonly KvRecordField Packing = new("packing", 46, 1);
    public static readonly KvRecordField BlockMajor = new("block_major", 47, 1);
    public static readonly KvRecordField Scale = new("scale", 48, 4);
    public static readonly KvRecordField FirstToken = new("first_token", 52, 4);
    public static readonly KvRecordField PayloadBytes = new("payload_bytes", 56, 8);
    public static readonly KvRecordField Model = new("model", 64, 16);
    public static readonly KvRecordField PayloadChecksum = new("payload_checksum", 80, 16);
    public static readonly KvRecordField HashBytes = new("hash_bytes", 96, 1);
    public static readonly KvRecordField SaltBytes = new("salt_bytes", 97, 1);
    public static readonly KvRecordField ClientKeyBytes = new("client_key_bytes", 98, 2);
    public static readonly KvRecordField ClientNoteBytes = new("client_note_bytes", 100, 1);
    public static readonly KvRecordField Padding = new("padding", 101, 3);
    public static readonly KvRecordField Hash = new("hash", 104, 32);
    public static readonly KvRecordField Salt = new("salt", 136, 128);
    public static readonly KvRecordField ClientKey = new("client_key", 264, 512);
    public static readonly KvRecordField ClientNote = new("client_note", 776, 64);
    public static readonly KvRecordField Reserved = new("reserved", 840, 168);
    public static readonly KvRecordField HeaderChecksum = new("header_checksum", 1008, 16);

    public static readonly KvRecordField[] All =
    [
        Magic, Version, HeaderBytes, Flags, Layers, ModelHeads, FirstHead, Heads, HeadDim, Tokens, BlockTokens, DType, Order, Packing,
        BlockMajor, Scale, FirstToken, PayloadBytes, Model, PayloadChecksum, HashBytes, SaltBytes, ClientKeyBytes, ClientNoteBytes, Padding,
        Hash, Salt, ClientKey, ClientNote, Reserved, HeaderChecksum,
    ];
}
