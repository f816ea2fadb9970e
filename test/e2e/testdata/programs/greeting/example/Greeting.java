package example;

/** The library that a program gets as a package of a Maven repository. */
public final class Greeting {
  public static String of(String whom) {
    return "hello " + whom;
  }
}
