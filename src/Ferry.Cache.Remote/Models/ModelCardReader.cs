using System.Globalization;
using Ferry.Kv.Layout;
using Ferry.Kv.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ferry.Cache.Remote.Models;

/// <summary>Reads <c>models:</c>, a list of cards, and says of everything wrong in it where it stands and what would be right.</summary>
internal sealed class ModelCardReader
{
    private const int FileBytesMax = 1 << 20; // A card is some 300 bytes; this is thousands of them.
    private const int CardsMax = 1024;
    private const int WorldSizeMax = 1024;
    private const int MaxNameCharacters = 512; // A client's key has no more.
    private const string Root = "models";

    private static readonly string[] Keys =
        ["name", "aliases", "layers", "kv_heads", "head_dim", "dtype", "chunk_size", "tensor_parallel", "fp8_scale", "layerwise", "fingerprint", "config"];

    private readonly string _file;
    private readonly List<string> _errors = [];

    private ModelCardReader(string file) => _file = file;

    public static ModelCards ReadFile(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax } large)
            {
                throw new ModelCardException([$"{path}: the file has {large.Length} bytes; model cards have at most {FileBytesMax}."]);
            }
            return Read(File.ReadAllText(path), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelCardException([$"{path}: the model cards cannot be read: {error.Message}"]);
        }
    }

    public static ModelCards Read(string yaml, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException error)
        {
            throw new ModelCardException([$"{file}:{error.Start.Line}:{error.Start.Column}: not YAML: {error.Message}"]);
        }
        if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
        {
            throw new ModelCardException([$"{file}:1:1: model cards are one YAML document with the key {Root}, a list."]);
        }
        var reader = new ModelCardReader(file);
        YamlNode? models = null;
        foreach (var (key, value) in root.Children)
        {
            if (key is YamlScalarNode { Value: Root })
            {
                models = value;
            }
            else
            {
                reader.Error(key, $"the key {Text(key)} is not known here; a file of model cards has the one key {Root}.");
            }
        }
        return models is null && reader._errors.Count == 0
            ? throw new ModelCardException([$"{file}:1:1: the key {Root} is missing."])
            : reader.ReadCards(models);
    }

    public static ModelCards Read(YamlNode models, string file) => new ModelCardReader(file).ReadCards(models);

    private ModelCards ReadCards(YamlNode? models)
    {
        var cards = new List<ModelCard>();
        if (models is YamlSequenceNode { Children.Count: <= CardsMax } list)
        {
            var owners = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var index = 0; index < list.Children.Count; index++)
            {
                if (ReadCard(list.Children[index], $"{Root}[{index}]", owners) is { } card)
                {
                    cards.Add(card);
                }
            }
        }
        else if (models is not null)
        {
            Error(models, $"{Root} must be a list of at most {CardsMax} cards.");
        }
        return _errors.Count == 0 ? new ModelCards(cards) : throw new ModelCardException(_errors);
    }

    private ModelCard? ReadCard(YamlNode node, string path, Dictionary<string, string> owners)
    {
        if (node is not YamlMappingNode mapping)
        {
            Error(node, $"{path} must be a card: name and what else is known of the model.");
            return null;
        }
        var values = ReadKeys(mapping, path);
        var before = _errors.Count;
        var name = ReadName(values, mapping, path);
        var aliases = ReadList(values, "aliases", path, item => item is YamlScalarNode { Value.Length: > 0 } alias ? alias.Value : null, "a model's name");
        var pattern = new NamePattern(name ?? "");
        if (pattern.IsGlob && values.TryGetValue("aliases", out var aliasNode))
        {
            Error(aliasNode, $"{path}.aliases: \"{name}\" may match several models, so nothing is an alias of it. Give the model a card with its own name.");
        }
        if (pattern.IsGlob && values.TryGetValue("fingerprint", out var fingerprintNode))
        {
            Error(fingerprintNode, $"{path}.fingerprint: \"{name}\" may match several models; a fingerprint names one. Give the model a card with its own name.");
        }
        var card = new ModelCard(name ?? "") { Aliases = aliases };
        card = ReadShape(card, values, mapping, path);
        card = card with
        {
            DType = ReadDType(values, path),
            ChunkTokens = ReadNumber(values, "chunk_size", path, 1, KvLayout.MaxTokens) ?? card.ChunkTokens,
            TensorParallelSizes = ReadList(
                values, "tensor_parallel", path, item => Number(item) is { } size and >= 1 and <= WorldSizeMax ? size : (int?)null, $"a number in 1..{WorldSizeMax}"),
            Fp8Scales = ReadScales(values, path),
            Layerwise = ReadSwitch(values, "layerwise", path),
            Fingerprint = ReadFingerprint(values, path),
        };
        CheckSizes(card, values, path);
        foreach (var known in aliases.Prepend(card.Name).Where(known => known.Length > 0))
        {
            if (!owners.TryAdd(known, path))
            {
                Error(mapping, $"{path}: \"{known}\" is named by {owners[known]} too; a model has one card.");
            }
        }
        return _errors.Count == before ? card : null;
    }

    private Dictionary<string, YamlNode> ReadKeys(YamlMappingNode mapping, string path)
    {
        var values = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        foreach (var (key, value) in mapping.Children)
        {
            var name = key is YamlScalarNode { Value: { } text } ? text : "";
            if (!Keys.Contains(name))
            {
                var nearest = NearestName.Find(name, Keys) is { } near ? $" Did you mean {near}?" : "";
                Error(key, $"{path}.{Text(key)} is not known; a card has {string.Join(", ", Keys)}.{nearest}");
                continue;
            }
            values[name] = value;
        }
        return values;
    }

    private string? ReadName(Dictionary<string, YamlNode> values, YamlMappingNode mapping, string path)
    {
        if (!values.TryGetValue("name", out var node))
        {
            Error(mapping, $"{path}.name is missing: the model as it stands in clients' keys (vLLM's --model), or a pattern with * and ?.");
            return null;
        }
        if (node is YamlScalarNode { Value: { Length: > 0 and <= MaxNameCharacters } name } && !name.Contains('@'))
        {
            return name;
        }
        Error(node, $"{path}.name is {Text(node)}; a model's name has 1 to {MaxNameCharacters} characters and no '@'.");
        return null;
    }

    /// <summary>Layers, heads and head dim: from the model's own config.json, from the card, or from both; then the card's word counts.</summary>
    private ModelCard ReadShape(ModelCard card, Dictionary<string, YamlNode> values, YamlMappingNode mapping, string path)
    {
        if (values.TryGetValue("config", out var config))
        {
            card = HuggingFaceConfig.Read(card, ConfigPath(config), out var error);
            if (error is not null)
            {
                Error(config, $"{path}.config: {error}");
                return card;
            }
        }
        card = card with
        {
            Layers = ReadNumber(values, "layers", path, 1, KvLayout.MaxLayers) ?? card.Layers,
            KvHeads = ReadNumber(values, "kv_heads", path, 1, KvLayout.MaxHeads) ?? card.KvHeads,
            HeadDim = ReadNumber(values, "head_dim", path, 1, KvLayout.MaxHeadDim) ?? card.HeadDim,
        };
        foreach (var (name, value) in ((string, int)[])[("layers", card.Layers), ("kv_heads", card.KvHeads), ("head_dim", card.HeadDim)])
        {
            if (value == 0 && card.Refusal is null && !values.ContainsKey(name))
            {
                Error(mapping, $"{path}.{name} is missing, and {(config is null ? "there is no config" : "the config.json does not say it")}: state it, or name the model's config.json.");
            }
        }
        return card;
    }

    private string ConfigPath(YamlNode node) => node is YamlScalarNode { Value: { Length: > 0 } path }
        ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_file)) ?? "", path)
        : "";

    private KvDType? ReadDType(Dictionary<string, YamlNode> values, string path)
    {
        if (!values.TryGetValue("dtype", out var node))
        {
            return null;
        }
        var text = node is YamlScalarNode { Value: { } value } ? value : "";
        if (ClientDTypes.TryParse(text) is { } dtype)
        {
            return dtype;
        }
        var nearest = NearestName.Find(text, KvDTypes.ByName.Keys) is { } near ? $" Did you mean {near}?" : "";
        Error(node, $"{path}.dtype is {Text(node)}; it must be one of {string.Join(", ", KvDTypes.ByName.Keys)}.{nearest}");
        return null;
    }

    private Dictionary<KvDType, float> ReadScales(Dictionary<string, YamlNode> values, string path)
    {
        var scales = new Dictionary<KvDType, float>();
        if (!values.TryGetValue("fp8_scale", out var node))
        {
            return scales;
        }
        if (node is not YamlMappingNode mapping)
        {
            Error(node, $"{path}.fp8_scale must give a scale for each fp8 type, such as {{e4m3fnuz: 2.0, e4m3fn: 1.0}}.");
            return scales;
        }
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } name } || ClientDTypes.TryParse(name) is not { } dtype || !dtype.IsFp8())
            {
                Error(key, $"{path}.fp8_scale.{Text(key)} is not an fp8 type; those are {string.Join(", ", KvDTypes.ByName.Values.Where(type => type.IsFp8()).Select(type => type.Name()))}.");
            }
            else if (value is YamlScalarNode { Value: { } text } && float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale)
                && float.IsNormal(scale) && scale > 0)
            {
                scales[dtype] = scale;
            }
            else
            {
                Error(value, $"{path}.fp8_scale.{name} is {Text(value)}; it must be a positive number: what a stored number is multiplied with.");
            }
        }
        return scales;
    }

    private UInt128? ReadFingerprint(Dictionary<string, YamlNode> values, string path)
    {
        if (!values.TryGetValue("fingerprint", out var node))
        {
            return null;
        }
        if (node is YamlScalarNode { Value: { Length: 32 } text } && UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return value;
        }
        Error(node, $"{path}.fingerprint is {Text(node)}; it must be 32 hex digits, as ferry serve prints them at its start.");
        return null;
    }

    private void CheckSizes(ModelCard card, Dictionary<string, YamlNode> values, string path)
    {
        foreach (var size in card.TensorParallelSizes)
        {
            if (card.KvHeads > 0 && card.KvHeads % size != 0 && size % card.KvHeads != 0)
            {
                Error(values["tensor_parallel"], $"{path}.tensor_parallel: {card.KvHeads} KV heads cannot be dealt out to {size} ranks; one must divide the other.");
            }
        }
    }

    private bool ReadSwitch(Dictionary<string, YamlNode> values, string name, string path)
    {
        if (!values.TryGetValue(name, out var node) || node is YamlScalarNode { Value: "false" })
        {
            return false;
        }
        if (node is not YamlScalarNode { Value: "true" })
        {
            Error(node, $"{path}.{name} is {Text(node)}; it must be true or false.");
        }
        return true;
    }

    private int? ReadNumber(Dictionary<string, YamlNode> values, string name, string path, int min, int max)
    {
        if (!values.TryGetValue(name, out var node))
        {
            return null;
        }
        if (Number(node) is { } number && number >= min && number <= max)
        {
            return number;
        }
        Error(node, $"{path}.{name} is {Text(node)}; it must be a whole number in {min}..{max}.");
        return null;
    }

    private List<T> ReadList<T>(Dictionary<string, YamlNode> values, string name, string path, Func<YamlNode, object?> read, string what)
    {
        var items = new List<T>();
        if (!values.TryGetValue(name, out var node))
        {
            return items;
        }
        // One value may stand without brackets, as elsewhere in YAML configurations.
        foreach (var item in node is YamlSequenceNode list ? list.Children : [node])
        {
            if (read(item) is T value)
            {
                items.Add(value);
            }
            else
            {
                Error(item, $"{path}.{name}: {Text(item)} is not {what}.");
            }
        }
        return items;
    }

    private List<string> ReadList(Dictionary<string, YamlNode> values, string name, string path, Func<YamlNode, string?> read, string what) =>
        ReadList<string>(values, name, path, read, what);

    private List<int> ReadList(Dictionary<string, YamlNode> values, string name, string path, Func<YamlNode, int?> read, string what) =>
        ReadList<int>(values, name, path, item => read(item), what);

    private static int? Number(YamlNode node) =>
        node is YamlScalarNode { Value: { } text } && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(YamlNode node) => node is YamlScalarNode { Value: { } value } ? $"\"{value}\"" : node.NodeType == YamlNodeType.Mapping ? "a mapping" : "a list";

    private void Error(YamlNode node, string text) => _errors.Add($"{_file}:{node.Start.Line}:{node.Start.Column}: {text}");
}
