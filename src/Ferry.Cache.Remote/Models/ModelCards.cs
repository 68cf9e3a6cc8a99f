using System.Collections.Concurrent;
using System.Text;
using Ferry.Cache.Remote.Clients;

namespace Ferry.Cache.Remote.Models;

/// <summary>All model cards of an exchange. Immutable; thread-safe.</summary>
public sealed class ModelCards
{
    /// <summary>Names come from clients; beyond this many nobody runs so many models, and the memory of them starts anew.</summary>
    private const int NamesMax = 4096;

    private readonly (NamePattern[] Names, ModelCard Card)[] _cards;
    private readonly ConcurrentDictionary<string, KnownModel?> _byName = new(StringComparer.Ordinal);

    public ModelCards(IReadOnlyList<ModelCard> cards)
    {
        Cards = cards;
        _cards = [.. cards.Select(card => (card.Aliases.Prepend(card.Name).Select(name => new NamePattern(name)).ToArray(), card))];
    }

    /// <summary>No card: every value is opaque.</summary>
    public static ModelCards None { get; } = new([]);

    public IReadOnlyList<ModelCard> Cards { get; }

    /// <summary>Reads a file whose root has the key <c>models</c>.</summary>
    /// <exception cref="ModelCardException">It cannot be read or used; every error with file, line and column.</exception>
    public static ModelCards Load(string path) => ModelCardReader.ReadFile(path);

    /// <summary>Reads the text of such a file.</summary>
    /// <param name="file">Its name, for errors; files that it names lie relative to it.</param>
    /// <exception cref="ModelCardException">It cannot be used; every error with file, line and column.</exception>
    public static ModelCards Parse(string yaml, string file) => ModelCardReader.Read(yaml, file);

    /// <summary>Reads the value of a key <c>models</c> that stands in a larger configuration.</summary>
    /// <exception cref="ModelCardException">It cannot be used; every error with file, line and column.</exception>
    public static ModelCards Parse(YamlDotNet.RepresentationModel.YamlNode models, string file) => ModelCardReader.Read(models, file);

    /// <summary>The model of this name, or null when no card speaks of it. Cards that name it stand before cards whose pattern matches it; of two alike the first.</summary>
    public KnownModel? Find(string name)
    {
        if (_byName.TryGetValue(name, out var known))
        {
            return known;
        }
        if (_byName.Count >= NamesMax)
        {
            _byName.Clear();
        }
        return _byName.GetOrAdd(name, Resolve(name));
    }

    /// <summary>The fingerprint of a model that has none of its own.</summary>
    internal static UInt128 FingerprintOf(string name) => ClientKeys.Fingerprint("ferry/client-model/1\0"u8, Encoding.UTF8.GetBytes(name));

    private KnownModel? Resolve(string name)
    {
        foreach (var globs in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var (names, card) in _cards)
            {
                if (names.Any(pattern => pattern.IsGlob == globs && pattern.Matches(name)))
                {
                    // A pattern for a name says nothing of what it matches being one model; an alias does.
                    return new KnownModel(card, card.Fingerprint ?? FingerprintOf(names[0].IsGlob ? name : card.Name));
                }
            }
        }
        return null;
    }
}
