namespace Ferry.Cache.Remote.Models;

/// <summary>A model that a card speaks of.</summary>
/// <param name="Fingerprint">The card's, or one made of the model's name; the same for all its aliases.</param>
public sealed record KnownModel(ModelCard Card, UInt128 Fingerprint);
