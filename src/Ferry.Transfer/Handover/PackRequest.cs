using Ferry.Kv.Layout;

namespace Ferry.Transfer.Handover;

/// <summary>Asks an owner to lay a part of a request out as the reader wants it.</summary>
/// <param name="LeaseId">Of the request's first rank: the right to ask.</param>
/// <param name="Layout">Of the packed bytes: the reader's, with as many layers and whole blocks of tokens as are wanted.</param>
internal sealed record PackRequest(ulong LeaseId, int FirstLayer, int FirstToken, int Tokens, KvLayout Layout);
