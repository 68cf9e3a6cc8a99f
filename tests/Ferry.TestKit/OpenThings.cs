namespace Ferry.TestKit;

/// <summary>Lists what a test opens, so that its end closes it.</summary>
public static class OpenThings
{
    public static T Opened<T>(this T thing, List<IAsyncDisposable> open)
        where T : IAsyncDisposable
    {
        open.Add(thing);
        return thing;
    }
}
