namespace Ferry.Engine.Chat.Jinja;

/// <summary>Names and their values; a loop's body has a scope of its own, so what it sets is gone behind it.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public void Set(string name, object? value) => _values[name] = value;

    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._values.TryGetValue(name, out var value)) { return value; }
        }
        return new Undefined(name);
    }

    private Scope? Outer { get; } = outer;
}
